"""Curves against the truth, thinned to what can be drawn.

* Equal scores fall together: a curve has a point for each distinct score, never one inside a tie.
* A score that is missing (NaN) is the least suspicious of all: what a detector did not say, it did not find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sweep:
    """Counts at every distinct threshold of one detector, from the strictest to the most lenient.

    `found` planted and `mistaken` clean pairs score at least as high; both float64 (t,), rising, ending at
    `planted` and `clean`.
    """

    name: str
    found: Floats
    mistaken: Floats
    planted: int
    clean: int

    def roc(self) -> tuple[Floats, Floats]:
        """Return false-positive and true-positive rates, both (t,) in [0, 1]."""
        return self.mistaken / max(self.clean, 1), self.found / max(self.planted, 1)

    def precision_recall(self) -> tuple[Floats, Floats]:
        """Return recall and precision, both (t,) in [0, 1]."""
        return self.found / max(self.planted, 1), self.found / (self.found + self.mistaken)


def sweep(name: str, scores: ArrayLike, planted: ArrayLike) -> Sweep:
    """Sweep the threshold over `scores` (n,), higher more suspicious, against the mask `planted` (n,)."""
    truth = np.asarray(planted, dtype=bool)
    values = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    last_of_tie = np.r_[ranked[1:] != ranked[:-1], True] if ranked.size else np.zeros(0, dtype=bool)
    found = np.cumsum(truth[order])[last_of_tie].astype(np.float64)
    mistaken = np.cumsum(~truth[order])[last_of_tie].astype(np.float64)
    return Sweep(name, found, mistaken, int(truth.sum()), int((~truth).sum()))


def thinned(x: Floats, y: Floats, gap: float = 0.7) -> tuple[Floats, Floats]:
    """Drop points of a drawn line that lie within `gap` pixels of the last one kept; both ends stay."""
    if x.size < 3:
        return x, y
    kept = [0]
    for i in range(1, x.size - 1):
        j = kept[-1]
        if abs(x[i] - x[j]) > gap or abs(y[i] - y[j]) > gap:
            kept.append(i)
    kept.append(x.size - 1)
    return x[kept], y[kept]
