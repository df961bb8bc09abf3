"""How thinly the references lie around a vector, by four published scores.

* Everything comes from one `Density`, a chunk of queries in a `Reference`: what a score needs of the reference itself
  (the k-distance and the LID of every reference point) is computed once for all chunks.
* Higher is more suspicious in all of them.
* Exact copies must do no harm: where ratios and logarithms are taken, no distance counts as smaller than one
  hundredth of the reference's median k-distance, so a ratio is never infinite.

Notation: d_1 <= ... <= d_k the distances of x to its k nearest references N_k(x), x itself left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.neighbours import Indices, Neighbourhood, Vectors, nearest_references

Scores = NDArray[np.float64]
Score = Callable[["Density"], Scores]

FLOOR = 0.01
# −1/LID is a mean logarithm; equal distances would make the LID infinite. 1,000 is beyond any real one.
_LARGEST_LID = 1000.0


@dataclass(frozen=True)
class Reference:
    """What the scores know of the reference: `own` its neighbours in itself, self left out, (m, k)."""

    own: Neighbourhood
    _firsts: dict[int, Reference] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def floor(self) -> float:
        """The smallest distance that counts."""
        median = float(np.median(self.own.distances[:, -1]))
        return FLOOR * (median if median > 0 else 1.0)

    @cached_property
    def k_distance(self) -> Scores:
        """d_k(o) of every reference point, (m,), floored."""
        return np.asarray(np.maximum(self.own.distances[:, -1].astype(np.float64), self.floor))

    @cached_property
    def rarity(self) -> Scores:
        """1/d_k(o) of every reference point, (m,)."""
        return np.asarray(1.0 / self.k_distance)

    @cached_property
    def lid(self) -> Scores:
        """LID(o) of every reference point, (m,)."""
        return _lid(self.own, self.floor)

    @cached_property
    def offset(self) -> Scores:
        """LID(o)·ln d_k(o) of every reference point, (m,)."""
        return np.asarray(self.lid * np.log(self.k_distance))

    def first(self, k: int) -> Reference:
        """Return the same with the k nearest neighbours only; made once for each k."""
        if k == self.own.k:
            return self
        if k not in self._firsts:
            self._firsts[k] = Reference(self.own.first(k))
        return self._firsts[k]

    def loneliest(self, k: int, count: int) -> NDArray[np.bool_]:
        """Mark the `count` references of highest SLOF at k neighbours, (m,)."""
        own = self.own.first(k)
        order = np.argsort(-Density(own, Reference(own)).slof(), kind="stable")
        marked = np.zeros(len(order), np.bool_)
        marked[order[:count]] = True
        return marked


@dataclass(frozen=True)
class Density:
    """Some queries, `queries` their neighbours in the reference (b, k), and the reference: all that a score needs."""

    queries: Neighbourhood
    reference: Reference

    @property
    def floor(self) -> float:
        """The smallest distance that counts."""
        return self.reference.floor

    def k_distance(self) -> Scores:
        """d_k(x): the distance to the k-th nearest reference, (n,)."""
        return self.queries.distances[:, -1].astype(np.float64)

    def slof(self) -> Scores:
        """Simplified local outlier factor: mean over o in N_k(x) of d_k(x)/d_k(o), (n,); about 1 for inliers.

        Schubert, Zimek, Kriegel, "Local outlier detection reconsidered", DMKD 2014.
        """
        rarity = self.reference.rarity[self.queries.indices].mean(axis=1)
        return np.asarray(self._floored() * rarity)

    def dao(self) -> Scores:
        """Dimensionality-aware outlier score: mean over o in N_k(x) of LID(o)·ln(d_k(x)/d_k(o)), (n,).

        Anderberg et al., SDM 2024, arXiv 2401.05453, in logarithms: there the mean is over the powers
        (d_k(x)/d_k(o))^LID(o), which leave the range of floats at the LID of real embeddings, and of which
        the largest neighbour alone decides. Volume in dimension D grows as r^D: this compares densities.
        """
        exponent, offset = self.reference.lid, self.reference.offset
        neighbours = self.queries.indices
        return np.asarray(np.log(self._floored()) * exponent[neighbours].mean(axis=1) - offset[neighbours].mean(axis=1))

    def lid(self) -> Scores:
        """Local intrinsic dimensionality by maximum likelihood: −1 / mean_i ln(d_i/d_k), (n,), at most 1,000.

        Amsaleg et al., KDD 2015.
        """
        return _lid(self.queries, self.floor)

    def first(self, k: int) -> Density:
        """Return the same with the k nearest neighbours only: another scale, without another search."""
        return Density(self.queries.first(k), self.reference.first(k))

    def purged(self, k: int, count: int) -> Density:
        """Take the `count` references of highest SLOF out and return the density in the rest.

        Poison in the reference hides poison outside; purging lets the second look see more of it. Needs
        k + count neighbours here, and costs no second matrix product.
        """
        removed = self.reference.loneliest(k, count)
        return Density(self.queries.without(removed, k), Reference(self.reference.own.without(removed, k)))

    def _floored(self) -> Scores:
        return np.maximum(self.k_distance(), self.floor)


# The published scores, of which one hardly costs more than all.
FOUR: tuple[Score, ...] = (Density.k_distance, Density.slof, Density.dao, Density.lid)


def measure(
    vectors: Vectors,
    sample: Indices,
    k: int,
    *,
    device: str = "cpu",
    chunk: int | None = None,
    spare: int = 0,
) -> Density:
    """Score `vectors` (n, d) against the reference `vectors[sample]`, each vector left out of its own count.

    The reference points are queries too, so their own neighbours need no second search.
    `spare` more neighbours than k are kept, so that as many references can be removed later.
    """
    identity = np.full(len(vectors), -1, np.int64)
    identity[sample] = np.arange(len(sample))
    found = nearest_references(vectors, vectors[sample], k + spare, identity=identity, device=device, chunk=chunk)
    return Density(found, Reference(found.rows(sample)))


def _lid(neighbourhood: Neighbourhood, floor: float) -> Scores:
    logarithms = np.log(np.maximum(neighbourhood.distances, np.float32(floor)))
    mean = logarithms[:, -1] - logarithms.mean(axis=1, dtype=np.float64)
    return np.asarray(1.0 / np.maximum(mean, 1.0 / _LARGEST_LID))
