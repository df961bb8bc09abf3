"""Squared distances of queries and a reference, from one matrix product a chunk, on any device.

* Vectors are centred on the reference's mean and divided by a power of two first: |q|² − 2qr + |r|² loses digits
  where an offset is large, and squares stay far from overflow.
* Where two vectors are much closer than they are long the product cannot tell their distance: those distances are
  computed again as differences, or, where they are many, in float64. All are right to about 1e-5 of themselves.
* A product in half precision, summed in float32, gives lower bounds: whoever is not among the smallest of them needs
  no exact distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch

# Squared distance below this share of the query's squared length: the float32 product is too rough.
_CLOSE = 0.02
# The same for a float64 product.
_CLOSE_DOUBLE = 1e-8
# A row with more distances to compute again is quicker as a product in float64.
_FEW = 32
_DIFFERENCES_AT_ONCE = 1 << 17
# The same on a device that has many thousands of threads to feed.
_DIFFERENCES_ELSEWHERE = 1 << 26
# A float16 is right to this share of itself, and to this much below the range of its exponents.
_HALF_ERROR = 2.0**-11
_HALF_SMALLEST = 2.0**-25
# Room for the sums in float32 and for the second order of both errors.
_SLACK = 1.25


@dataclass(frozen=True)
class Ruler:
    """A reference that distances are measured from: `original` (m, d) float32 as it came, and `centred`.

    All squared distances are those of the vectors divided by `scale`. `lengths` (m,) are the squared lengths of the
    centred vectors, infinite for references that nobody may choose.
    """

    original: torch.Tensor
    mean: torch.Tensor
    scale: float
    centred: torch.Tensor
    lengths: torch.Tensor

    @staticmethod
    def lay(references: torch.Tensor, left_out: torch.Tensor | None = None) -> Ruler:
        """Prepare references float32 (m, d); those marked in `left_out` (m,) are infinitely far from everybody."""
        mean = references.double().mean(0).float()
        centred = references - mean
        largest = float(centred.abs().max())
        # A power of two costs no digits.
        scale = 2.0 ** math.ceil(math.log2(largest)) if largest > 0 else 1.0
        centred /= scale
        lengths = centred.square().sum(1)
        if left_out is not None:
            lengths = lengths.masked_fill(left_out, torch.inf)
        return Ruler(references, mean, scale, centred, lengths)

    def squared(self, queries: torch.Tensor, selves: torch.Tensor | None) -> torch.Tensor:
        """Return squared distances float32 (b, m); infinite where `selves` (b,) is the reference, -1 for none."""
        centred = (queries - self.mean) / self.scale
        own = centred.square().sum(1, keepdim=True)
        squared = torch.addmm(self.lengths, centred, self.centred.T, alpha=-2).add_(own).clamp_min_(0)
        leave_out(squared, selves)
        near = squared < _CLOSE * own
        if not bool(near.any()):
            return squared
        crowded = near.sum(1) > _FEW
        rows = crowded.nonzero()[:, 0]
        if len(rows):
            again = self._in_double(queries[rows]).float()
            leave_out(again, None if selves is None else selves[rows])
            squared[rows] = again
        pairs = (near & ~crowded[:, None]).nonzero(as_tuple=True)
        squared[pairs] = self._differences(queries, *pairs).float()
        return squared

    def at_least(self, queries: torch.Tensor, selves: torch.Tensor | None) -> torch.Tensor:
        """Return lower bounds of the squared distances, float32 (b, m), from products in half precision.

        With u the rounding of a half, |qr − half(q)half(r)| is at most about 2u|q||r|, whatever the vectors are.
        """
        centred = (queries - self.mean) / self.scale
        own = centred.square().sum(1, keepdim=True)
        # Each query by a power of two of its own, so that none leaves the range of halves.
        unit = torch.exp2(centred.abs().amax(1, keepdim=True).clamp_min(1e-30).log2().ceil())
        product = _half_product((centred / unit).half(), self._half).mul_(unit)
        bounds = self.lengths + own - 2 * product
        bounds -= own.sqrt() * self._half_errors
        return leave_out(bounds, selves)

    def chosen(self, queries: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Return the squared distances float32 (b, c) of each query to the references in its row of `columns`."""
        squared = torch.empty(columns.shape, dtype=torch.float32, device=queries.device)
        budget = _DIFFERENCES_AT_ONCE if queries.device.type == "cpu" else _DIFFERENCES_ELSEWHERE
        at_once = max(1, budget // (columns.shape[1] * queries.shape[1]))
        for start in range(0, len(queries), at_once):
            part = slice(start, start + at_once)
            difference = queries[part, None] - self.original[columns[part]]
            squared[part] = difference.div_(self.scale).square_().sum(2)
        return squared

    @cached_property
    def _half(self) -> torch.Tensor:
        return self.centred.half()

    @cached_property
    def _half_errors(self) -> torch.Tensor:
        """How much rounding to halves can add to the squared distance to each reference, for a query of length 1."""
        width = math.sqrt(self.centred.shape[1])
        lengths = self.centred.square().sum(1).sqrt()
        return 2 * _SLACK * (2 * _HALF_ERROR * lengths + _HALF_SMALLEST * width)

    @cached_property
    def _double(self) -> tuple[torch.Tensor, torch.Tensor]:
        centred = (self.original.double() - self.mean) / self.scale
        return centred, centred.square().sum(1).where(self.lengths.isfinite(), torch.inf)

    def _in_double(self, queries: torch.Tensor) -> torch.Tensor:
        """Return squared distances in float64, and as differences where even that is too rough."""
        references, lengths = self._double
        centred = (queries.double() - self.mean) / self.scale
        own = centred.square().sum(1, keepdim=True)
        squared = torch.addmm(lengths, centred, references.T, alpha=-2).add_(own).clamp_min_(0)
        pairs = (squared < _CLOSE_DOUBLE * own).nonzero(as_tuple=True)
        squared[pairs] = self._differences(queries, *pairs)
        return squared

    def _differences(self, queries: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Return the squared distances, float64, of pairs of a query and a reference."""
        squared = torch.empty(len(rows), dtype=torch.float64, device=queries.device)
        at_once = max(1, _DIFFERENCES_AT_ONCE // queries.shape[1])
        for start in range(0, len(rows), at_once):
            part = slice(start, start + at_once)
            difference = queries[rows[part]].double() - self.original[columns[part]].double()
            squared[part] = difference.div_(self.scale).square_().sum(1)
        return squared


def leave_out(distances: torch.Tensor, selves: torch.Tensor | None) -> torch.Tensor:
    """Make each query's distance to itself infinite, in place: (b, m) and (b,), -1 for no self."""
    if selves is not None:
        own = torch.nonzero(selves >= 0)[:, 0]
        distances[own, selves[own]] = torch.inf
    return distances


def _half_product(queries: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
    """Return the products of halves (b, d) and (m, d), summed in float32, (b, m)."""
    if queries.device.type == "cuda":
        return torch.mm(queries, references.T, out_dtype=torch.float32)
    # A float32 holds the product of two halves exactly, so this is the same sum.
    return queries.float() @ references.float().T
