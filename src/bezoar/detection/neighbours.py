"""The k nearest references of each query: computed once, shared by all density detectors.

* Distances come from one matrix product a chunk, on any device. The vectors are centred on the reference's
  mean first, because |q|² − 2qr + |r|² loses digits where an offset is large.
* Where two vectors are much closer than they are long, the product cannot tell their distance: those
  distances are computed again as differences. All distances are right to about 1e-5 of themselves.
* Self is excluded by identity, never by "drop the first column": a copy of the query stays in.
* Equal distances are ordered by index, at the border of the k nearest too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bezoar.run import BROKEN_DATA, BezoarError

if TYPE_CHECKING:
    import torch

Vectors = NDArray[Any]
Distances = NDArray[np.float32]
Indices = NDArray[np.int64]

# Squared distance below this share of the query's squared length: the float32 product is too rough.
_CLOSE = 0.02
# The same for a float64 product.
_CLOSE_DOUBLE = 1e-8
_DIFFERENCES_AT_ONCE = 1 << 17
# On a CPU a chunk's distances should stay in its cache.
_ROWS_ON_CPU = 512
_ROWS_ELSEWHERE = 8192


@dataclass(frozen=True)
class Neighbourhood:
    """The nearest references of n queries.

    `distances` float32 (n, k), ascending in each row; `indices` int64 (n, k) into the reference.
    """

    distances: Distances
    indices: Indices

    @property
    def k(self) -> int:
        """The number of neighbours of each query."""
        return int(self.distances.shape[1])

    def first(self, k: int) -> Neighbourhood:
        """Return the k nearest of these neighbours."""
        return Neighbourhood(self.distances[:, :k], self.indices[:, :k])

    def rows(self, positions: Indices) -> Neighbourhood:
        """Return the neighbours of some of the queries."""
        return Neighbourhood(self.distances[positions], self.indices[positions])

    def without(self, removed: NDArray[np.bool_], k: int) -> Neighbourhood:
        """Return the k nearest once the references marked in `removed` (m,) have left.

        Exact, and without another matrix product, as long as k + (number removed) neighbours are here.
        """
        missing = k + int(removed.sum()) - self.k
        if missing > 0:
            raise ValueError(f"{missing} neighbours too few to take the removed references out")
        stays = ~removed[self.indices]
        stays &= np.cumsum(stays, axis=1, dtype=np.int32) <= k
        shape = (len(stays), k)
        return Neighbourhood(self.distances[stays].reshape(shape), self.indices[stays].reshape(shape))


def nearest_references(
    queries: Vectors,
    references: Vectors,
    k: int,
    *,
    identity: Indices | None = None,
    device: str = "cpu",
    chunk: int | None = None,
) -> Neighbourhood:
    """Find the k references nearest to each query by Euclidean distance.

    `queries` (n, d) and `references` (m, d), of any number type, read in chunks of rows.
    `identity` (n,): the index of each query in the reference, or -1; that reference is left out for it.
    Raises BezoarError where k is larger than the references at hand, or a value is not finite.
    """
    import torch

    _check(queries, references, k, identity)
    chunk = chunk or (_ROWS_ON_CPU if device == "cpu" else _ROWS_ELSEWHERE)
    search = _Search.prepare(torch.tensor(np.asarray(references, np.float32), device=device), k)
    distances = np.empty((len(queries), k), np.float32)
    indices = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), chunk):
        rows = slice(start, start + chunk)
        vectors = torch.tensor(np.asarray(queries[rows], np.float32), device=device)
        selves = None if identity is None else torch.tensor(identity[rows], device=device)
        if not bool(torch.isfinite(vectors).all()):
            raise _not_finite(queries[rows], "query", start)
        distances[rows], indices[rows] = search.nearest(vectors, selves)
    if not np.isfinite(distances[:, -1:]).all():
        raise BezoarError("The vectors are too long for float32.", "Divide them all by one number.", BROKEN_DATA)
    return Neighbourhood(distances, indices)


@dataclass(frozen=True)
class _Search:
    """A reference that is ready to be searched: as it came, centred, and its squared lengths."""

    k: int
    original: torch.Tensor
    mean: torch.Tensor
    scale: float
    centred: torch.Tensor

    @staticmethod
    def prepare(references: torch.Tensor, k: int) -> _Search:
        import torch

        mean = references.double().mean(0).float()
        centred = references - mean
        largest = float(centred.abs().max())
        # A power of two costs no digits, and squares stay far from overflow.
        scale = float(2.0 ** np.ceil(np.log2(largest))) if largest > 0 else 1.0
        return _Search(k, references, mean, scale, torch.div(centred, scale))

    def nearest(self, queries: torch.Tensor, selves: torch.Tensor | None) -> tuple[Distances, Indices]:
        """Return ascending distances and indices (b, k) for one chunk of queries."""
        centred = (queries - self.mean) / self.scale
        lengths = centred.square().sum(1, keepdim=True)
        keys = self._smallest(_products(centred, self.centred), selves)
        limit = _CLOSE * lengths
        # Where the k-th neighbour is close, the rough product has perhaps lost nearer ones: look again.
        rough = _values(keys)[:, -1:] < limit
        if bool(rough.any()):
            rows = rough[:, 0].nonzero()[:, 0]
            again = self._precisely(queries[rows])
            keys[rows] = self._smallest(again, None if selves is None else selves[rows])
        squared = _values(keys)
        near = (squared <= limit) & ~rough
        if bool(near.any()):
            rows = near.nonzero()[:, 0]
            squared[near] = self._differences(queries, rows, _indices(keys)[near]).float()
            keys = _sorted(_packed(squared, _indices(keys)))
        distances = _values(keys).sqrt() * self.scale
        return distances.cpu().numpy(), _indices(keys).cpu().numpy()

    def _smallest(self, squared: torch.Tensor, selves: torch.Tensor | None) -> torch.Tensor:
        import torch

        if selves is not None:
            own = torch.nonzero(selves >= 0)[:, 0]
            squared[own, selves[own]] = torch.inf
        columns = torch.arange(squared.shape[1], dtype=torch.int32, device=squared.device)
        keys = _packed(squared.float(), columns.expand(squared.shape))
        return _sorted(torch.topk(keys, self.k, largest=False, sorted=False).values)

    def _precisely(self, queries: torch.Tensor) -> torch.Tensor:
        """Return squared distances in float64, and as differences where even that is too rough."""
        centred = (queries.double() - self.mean) / self.scale
        squared = _products(centred, (self.original.double() - self.mean) / self.scale)
        near = squared < _CLOSE_DOUBLE * centred.square().sum(1, keepdim=True)
        squared[near] = self._differences(queries, *near.nonzero(as_tuple=True))
        return squared

    def _differences(self, queries: torch.Tensor, rows: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Return the squared distances, float64, of pairs of a query and a reference."""
        import torch

        squared = torch.empty(len(rows), dtype=torch.float64, device=queries.device)
        at_once = max(1, _DIFFERENCES_AT_ONCE // queries.shape[1])
        for start in range(0, len(rows), at_once):
            part = slice(start, start + at_once)
            difference = queries[rows[part]].double() - self.original[chosen[part]].double()
            squared[part] = difference.div_(self.scale).square_().sum(1)
        return squared


def _products(queries: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
    """Return |q|² − 2qr + |r|², not below zero."""
    import torch

    squared = torch.addmm(references.square().sum(1), queries, references.T, alpha=-2)
    return squared.add_(queries.square().sum(1, keepdim=True)).clamp_min_(0)


# A key is an int64: the bits of a non-negative float32 above, the index below. Keys order by distance and
# then by index, and selecting among them is no slower than selecting among floats.


def _packed(values: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    import torch

    halves = torch.empty((*values.shape, 2), dtype=torch.int32, device=values.device)
    halves[..., 0] = indices
    halves[..., 1] = values.view(torch.int32)
    return halves.view(torch.int64)[..., 0]


def _values(keys: torch.Tensor) -> torch.Tensor:
    import torch

    return (keys >> 32).to(torch.int32).view(torch.float32)


def _indices(keys: torch.Tensor) -> torch.Tensor:
    return keys & 0xFFFFFFFF


def _sorted(keys: torch.Tensor) -> torch.Tensor:
    import torch

    if keys.device.type != "cpu":
        return keys.sort(dim=1).values
    # numpy sorts int64 with vector instructions, about three times as fast as torch.
    return torch.from_numpy(np.sort(keys.numpy(), axis=1))


def _check(queries: Vectors, references: Vectors, k: int, identity: Indices | None) -> None:
    if queries.ndim != 2 or references.ndim != 2 or queries.shape[1] != references.shape[1]:
        raise BezoarError(
            f"Vectors of shapes {queries.shape} and {references.shape} do not belong together.",
            "Give two tables with the same number of columns.",
        )
    shared = identity is not None and bool((np.asarray(identity) >= 0).any())
    available = len(references) - shared
    if not 1 <= k <= available:
        raise BezoarError(
            f"k = {k} neighbours were asked for, and the reference has {available} to give.",
            "Choose a smaller k or a larger reference.",
        )
    if not np.isfinite(references).all():
        raise _not_finite(references, "reference", 0)


def _not_finite(vectors: Vectors, name: str, start: int) -> BezoarError:
    row = start + int(np.argmin(np.isfinite(vectors).all(axis=1)))
    return BezoarError(
        f"Row {row} of the {name} vectors holds a value that is not finite.",
        "Leave out the pairs that could not be read or embedded.",
        BROKEN_DATA,
    )
