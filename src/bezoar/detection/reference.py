"""How many references, how many neighbours, and which rates of poison these can see.

Planted pairs of one campaign lie close together, so a planted pair looks lonely only while most of its k
nearest references are genuine. Of m references drawn at random, λ = m·rate are planted in the mean:

* k >= λ + 4√λ, or the planted pairs in the reference alone can fill the k nearest (the Poisson tail beyond
  four deviations); past that line k-distance is not blind but inverted.
* Ratio scores (SLOF, DAO) want k >= 8λ, because each planted neighbour contributes a ratio near 1. Beyond m/8
  neighbours this is not pursued: small honest groups would begin to look lonely as well.
* Without a rate, k = m/8: 256 of 2,048, the best setting of the trials, which sees rates up to 9.7 %.
* A reference is drawn among different vectors: a pile of exact copies is one of them. Where few remain, k and m are
  those of a set of so many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bezoar.detection.neighbours import Indices
from bezoar.run import BezoarError, random

LARGEST_REFERENCE = 2048
_SMALLEST_K = 16


def choose(max_rate: float | None, n: int, *, k: int | None = None, m: int | None = None) -> tuple[int, int]:
    """Return (k, m) for n pairs of which at most the share `max_rate` is planted by one campaign.

    `k` and `m` override. Raises BezoarError for fewer than 4 pairs, a rate outside (0, 0.5), more references
    than pairs, k as large as the reference, or a rate that no k can see.
    """
    if n < 4:
        count = "1 pair is" if n == 1 else f"{n} pairs are"
        raise BezoarError(f"{count} too few to compare with one another.", "Give at least 4 pairs.")
    if max_rate is not None and not 0 < max_rate < 0.5:
        raise BezoarError(f"The largest rate {max_rate} is not a share.", "Give a share between 0 and 0.5.")
    references = min(LARGEST_REFERENCE, n // 2) if m is None else m
    if not 2 <= references <= n:
        raise BezoarError(
            f"A reference of {references} cannot be drawn from {n} pairs.", f"Choose m between 2 and {n}."
        )
    neighbours = _neighbours(max_rate, references) if k is None else k
    if not 1 <= neighbours < references:
        raise BezoarError(
            f"k = {neighbours} must be smaller than the reference of {references}.",
            "Choose a smaller k, a smaller rate or a larger reference.",
        )
    return neighbours, references


def choose_among(
    max_rate: float | None, n: int, distinct: int, *, k: int | None = None, m: int | None = None
) -> tuple[int, int]:
    """Return (k, m) for n pairs of which only `distinct` are different: as for so many pairs, as far as these go.

    Raises BezoarError as `choose` does for n pairs, not because copies leave too few.
    """
    neighbours, references = choose(max_rate, n, k=k, m=m)
    if distinct == n:
        return neighbours, references
    references = max(2, min(references, distinct // 2 if m is None else distinct))
    return min(_neighbours(max_rate, references) if k is None else k, references - 1), references


@dataclass(frozen=True)
class Setting:
    """How density looks: at k neighbours in each of `references` samples of m vectors, whose scores are averaged.

    The `purge` share of each sample that has the highest SLOF leaves it before anybody is scored.
    """

    k: int
    m: int
    references: int = 1
    purge: float = 0.0

    def __post_init__(self) -> None:
        if not (1 <= self.k < self.m and self.references >= 1 and 0 <= self.purge < 1):
            raise BezoarError(
                f"k = {self.k} of {self.m}, {self.references} references and a purge of {self.purge} are no setting.",
                "Choose 1 <= k < m, at least one reference and a share below 1.",
            )

    @property
    def purged_count(self) -> int:
        """How many references leave each sample: the share, as far as k neighbours remain."""
        return max(0, min(round(self.purge * self.m), self.m - 1 - self.k))

    @property
    def visible_rate(self) -> float:
        """The largest rate of one campaign that can be seen (see `visible_rate`)."""
        return visible_rate(self.k, self.m)


def visible_rate(k: int, m: int) -> float:
    """Return the largest rate of one campaign that k of m neighbours can see: k >= λ + 4√λ at λ = m·rate."""
    root = math.sqrt(4 + k) - 2
    return min(1.0, root * root / m)


def sample(n: int, m: int, seed: int, draw: int = 0) -> Indices:
    """Draw m of n positions for the reference, ascending; the same for the same arguments.

    Each `draw` is another reference, independent of the others.
    """
    names = (n, m, draw) if draw else (n, m)
    drawn = random(seed, "reference", *names).choice(n, size=m, replace=False)
    return np.sort(drawn).astype(np.int64)


def _neighbours(max_rate: float | None, m: int) -> int:
    usual = max(_SMALLEST_K, m // 8)
    if max_rate is None:
        return min(usual, m - 1)
    expected = m * max_rate
    needed = math.ceil(expected + 4 * math.sqrt(expected))
    wanted = max(_SMALLEST_K, needed, min(usual, math.ceil(8 * expected)))
    # In a reference of a few dozen no k obeys the rule; the largest one sees most.
    return min(wanted, m - 1) if m < 4 * _SMALLEST_K else wanted
