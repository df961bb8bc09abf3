"""The k nearest references of each query: computed once, shared by all density detectors.

* Distances are right to about 1e-5 of themselves (see `distances`), in full or in half precision: a product of
  halves only says which references come into question, and their distances are computed again.
* Self is excluded by identity, never by "drop the first column": a copy of the query stays in.
* Equal distances are ordered by index, at the border of the k nearest too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bezoar.run import BROKEN_DATA, BezoarError

if TYPE_CHECKING:
    import torch

    from bezoar.detection.distances import Ruler

Vectors = NDArray[Any]
Distances = NDArray[np.float32]
Indices = NDArray[np.int64]
Precision = Literal["full", "half"]

# On a CPU a chunk's distances should stay in its cache.
_ROWS_ON_CPU = 512
_ROWS_ELSEWHERE = 8192
# Beyond this share of the references, measuring the candidates again costs more than a product of all.
_MOST_CANDIDATES = 0.5


class Table(Protocol):
    """Vectors (n, d) that can be read by rows: an array, a memory map, or shards of them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of rows and columns."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | Indices, /) -> Vectors: ...


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


@dataclass(frozen=True)
class Search:
    """A reference that is ready to be searched for k neighbours of as many queries as there are.

    `candidates`: how many references a product in half precision leaves in question; None: it is made in full.
    """

    k: int
    ruler: Ruler
    device: str
    candidates: int | None

    @staticmethod
    def prepare(
        references: Vectors,
        k: int,
        *,
        left_out: NDArray[np.bool_] | None = None,
        device: str = "cpu",
        precision: Precision = "full",
    ) -> Search:
        """Prepare references (m, d); those marked in `left_out` (m,) are nobody's neighbours.

        Raises BezoarError where a value is not finite. Half precision is for devices that are many times faster at
        it; where k is a large share of the references the search is made in full all the same.
        """
        import torch

        from bezoar.detection.distances import Ruler

        refuse_not_finite(references, "reference")
        tensor = torch.tensor(np.asarray(references, np.float32), device=device)
        ruler = Ruler.lay(tensor, None if left_out is None else torch.tensor(left_out, device=device))
        candidates = k + max(16, k // 8)
        halves = precision == "half" and candidates <= _MOST_CANDIDATES * len(references)
        return Search(k, ruler, device, candidates if halves else None)

    @property
    def rows_at_once(self) -> int:
        """How many queries are best given at once."""
        return _ROWS_ON_CPU if self.device == "cpu" else _ROWS_ELSEWHERE

    def nearest(
        self, queries: Vectors, selves: Indices | None = None, *, rows: Indices | None = None, start: int = 0
    ) -> Neighbourhood:
        """Return the neighbours of one chunk of queries (b, d).

        `selves` (b,): the index of each query in the reference, or -1; that reference is left out for it.
        `rows` (b,), or else those counted from `start`: what queries are called in complaints.
        """
        import torch

        from bezoar.detection.keys import indices_of, values_of

        tensor = torch.tensor(np.asarray(queries), device=self.device).float()
        if not bool(torch.isfinite(tensor).all()):
            refuse_not_finite(np.asarray(queries, np.float32), "query", rows, start=start)
        own = None if selves is None else torch.tensor(selves, device=self.device)
        keys = self._in_full(tensor, own) if self.candidates is None else self._by_halves(tensor, own, self.candidates)
        distances = values_of(keys).sqrt() * self.ruler.scale
        if not bool(torch.isfinite(distances[:, -1]).all()):
            raise BezoarError("The vectors are too long for float32.", "Divide them all by one number.", BROKEN_DATA)
        return Neighbourhood(distances.cpu().numpy(), indices_of(keys).cpu().numpy())

    def _in_full(self, queries: torch.Tensor, selves: torch.Tensor | None) -> torch.Tensor:
        import torch

        from bezoar.detection.keys import packed, smallest

        squared = self.ruler.squared(queries, selves)
        columns = torch.arange(squared.shape[1], dtype=torch.int32, device=squared.device)
        return smallest(packed(squared, columns.expand(squared.shape)), self.k)

    def _by_halves(self, queries: torch.Tensor, selves: torch.Tensor | None, candidates: int) -> torch.Tensor:
        import torch

        from bezoar.detection.keys import packed, smallest, values_of

        bounds = self.ruler.at_least(queries, selves)
        lowest, columns = torch.topk(bounds, candidates, largest=False, sorted=False)
        squared = self.ruler.chosen(queries, columns).masked_fill_(lowest.isinf(), torch.inf)
        keys = smallest(packed(squared, columns.int()), self.k)
        # All others are at least as far as the farthest bound; where that is no proof, measure everything.
        unsure = values_of(keys)[:, -1] >= lowest.amax(1)
        rows = unsure.nonzero()[:, 0]
        if len(rows):
            keys[rows] = self._in_full(queries[rows], None if selves is None else selves[rows])
        return keys


def nearest_references(
    queries: Vectors,
    references: Vectors,
    k: int,
    *,
    identity: Indices | None = None,
    device: str = "cpu",
    chunk: int | None = None,
    precision: Precision = "full",
) -> Neighbourhood:
    """Find the k references nearest to each query by Euclidean distance.

    `queries` (n, d) and `references` (m, d), of any number type, read in chunks of rows.
    `identity` (n,): the index of each query in the reference, or -1; that reference is left out for it.
    Raises BezoarError where k is larger than the references at hand, or a value is not finite.
    """
    _check(queries, references, k, identity)
    search = Search.prepare(references, k, device=device, precision=precision)
    distances = np.empty((len(queries), k), np.float32)
    indices = np.empty((len(queries), k), np.int64)
    for rows in chunks(len(queries), chunk or search.rows_at_once):
        found = search.nearest(queries[rows], None if identity is None else identity[rows], start=rows.start)
        distances[rows], indices[rows] = found.distances, found.indices
    return Neighbourhood(distances, indices)


def chunks(n: int, size: int) -> Iterator[slice]:
    """Cut n rows into slices of at most `size`."""
    return (slice(start, min(n, start + size)) for start in range(0, n, size))


def refuse_not_finite(vectors: Vectors, name: str, rows: Indices | None = None, *, start: int = 0) -> None:
    """Raise BezoarError where a row of `vectors` (b, d) holds NaN or infinity.

    It is named by its number in `rows` (b,), or else counted from `start`.
    """
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        at = int(np.argmin(finite))
        row = start + at if rows is None else int(rows[at])
        raise BezoarError(
            f"Row {row} of the {name} vectors holds a value that is not finite.",
            "Leave out the pairs that could not be read or embedded.",
            BROKEN_DATA,
        )


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
