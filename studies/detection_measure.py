"""From scores and the truth to figures: areas with a bootstrap's interval, rates with Wilson's.

* Where only some of the clean pairs were scored, each stands for as many as its weight says: precision and the share
  dropped are then those of the whole set, estimated.
* What is flagged is judged by what a plan planted; a wrong caption is clean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.evaluation.intervals import percentiles, wilson
from bezoar.run import random

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Row = dict[str, Any]
RESAMPLES = 200
TRUE_RATES = (95, 99, 100)
DROPPED = (5, 2)


def figures(scores: Floats, planted: Mask, weights: Floats | None = None, seed: int = 0) -> list[Row]:
    """Return the rows of one detector: `measure`, `value`, `low`, `high`, `n`.

    `scores` (n,), higher more suspicious; `planted` (n,), some and not all; `weights` (n,): how many a clean pair
    stands for, 1 by default; a planted one stands for itself.
    `n` of an area and of a recall is the number of planted pairs, that of a false-positive rate of the clean.
    """
    weights = np.ones(len(scores)) if weights is None else np.where(planted, 1.0, weights)
    rows = areas(scores, planted, weights, seed)
    clean = np.sort(scores[~planted])
    falling = np.sort(scores[planted])[::-1]
    for percent in TRUE_RATES:
        bar = falling[-(-percent * len(falling) // 100) - 1]
        above = len(clean) - int(np.searchsorted(clean, bar, side="left"))
        rows.append(share(f"fpr-at-{percent}-tpr", above, len(clean)))
    for percent in DROPPED:
        found = int(planted[highest(scores, weights, percent / 100)].sum())
        rows.append(share(f"recall-at-{percent}-percent-dropped", found, int(planted.sum())))
    return rows


def decided(flagged: Mask, planted: Mask) -> list[Row]:
    """Return what a decision did: `flagged`, `clean-lost-at-fdr`, and where there is something to find the rest.

    `realised-fdp` is the share of the flagged that nobody planted: 0 of 0 where nothing is flagged.
    """
    false, right = int((flagged & ~planted).sum()), int((flagged & planted).sum())
    rows: list[Row] = [
        {"measure": "flagged", "value": float(flagged.sum()), "low": None, "high": None, "n": len(flagged)},
        share("clean-lost-at-fdr", false, int((~planted).sum())),
        share("realised-fdp", false, false + right),
    ]
    return rows + ([share("recall-at-fdr", right, int(planted.sum()))] if planted.any() else [])


def share(measure: str, count: int, n: int) -> Row:
    """Return the row of a rate, with Wilson's interval; of none of none the value is 0."""
    low, high = wilson(count, n)
    return {"measure": measure, "value": count / n if n else 0.0, "low": low, "high": high, "n": n}


def areas(scores: Floats, planted: Mask, weights: Floats, seed: int = 0) -> list[Row]:
    """Return `auroc` and `average-precision`, with the middle 95 % of RESAMPLES resamples of either kind of pair."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    true, weight = planted[order], np.where(planted, 1.0, weights)[order]
    draw = random(seed, "bootstrap of areas")
    kinds = [np.flatnonzero(true), np.flatnonzero(~true)]
    resampled = []
    for _ in range(RESAMPLES):
        counts = np.zeros(len(scores))
        for kind in kinds:
            counts[kind] = np.bincount(draw.integers(len(kind), size=len(kind)), minlength=len(kind))
        resampled.append(_areas(true, weight * counts, ends))
    both = np.array(resampled)
    rows = []
    for at, (name, value) in enumerate(zip(("auroc", "average-precision"), _areas(true, weight, ends), strict=True)):
        low, high = percentiles(both[:, at])
        rows.append({"measure": name, "value": value, "low": low, "high": high, "n": int(planted.sum())})
    return rows


def _areas(true: Mask, weight: Floats, ends: NDArray[np.int64]) -> tuple[float, float]:
    """Return the areas under the ROC curve and under precision by recall, of pairs by falling score.

    `ends` are the last places of each score: ties fall together.
    """
    found, lost = np.cumsum(weight * true)[ends], np.cumsum(weight * ~true)[ends]
    recall = found / found[-1]
    precision = found / np.maximum(found + lost, 1e-12)
    steps = np.diff(recall, prepend=0.0)
    lost_steps = np.diff(lost / lost[-1], prepend=0.0)
    return float((lost_steps * (recall - steps / 2)).sum()), float((steps * precision).sum())


def highest(scores: Floats, weights: Floats, dropped: float) -> NDArray[np.int64]:
    """Return the most suspicious pairs that make up the share `dropped` of all weight, ties by position."""
    order = np.argsort(-scores, kind="stable")
    return np.asarray(order[np.cumsum(weights[order]) <= dropped * weights.sum() + 1e-9], np.int64)
