"""How well a score found what a plan says was planted. AUROC and average precision are scikit-learn's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores
from bezoar.run import BezoarError


@dataclass(frozen=True)
class Curve:
    """Points (x, y) of a curve, each (p,), x ascending."""

    x: Scores
    y: Scores


@dataclass(frozen=True)
class Judged:
    """One detector against the truth.

    `roc`: true against false positive rate. `precision_recall`: precision against recall.
    `recall_at_drop`: share of the planted pairs among the `dropped` most suspicious.
    """

    auroc: float
    average_precision: float
    recall_at_drop: float
    dropped: int
    planted: int
    roc: Curve
    precision_recall: Curve


def judge(scores: Scores, planted: NDArray[np.bool_], share: float = 0.02) -> Judged:
    """Judge scores (n,), higher more suspicious, by the truth (n,), dropping the highest `share` of the set.

    Raises BezoarError where no pair or every pair was planted.
    """
    from sklearn.metrics import (
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    count = int(planted.sum())
    if not 0 < count < len(planted):
        raise BezoarError(
            f"{count} of {len(planted)} pairs were planted: there is nothing to tell apart.",
            "Give the plan that belongs to these pairs.",
        )
    dropped = highest(scores, share)
    false_rate, true_rate, _ = roc_curve(planted, scores)
    precision, recall, _ = precision_recall_curve(planted, scores)
    return Judged(
        auroc=float(roc_auc_score(planted, scores)),
        average_precision=float(average_precision_score(planted, scores)),
        recall_at_drop=float(planted[dropped].sum() / count),
        dropped=len(dropped),
        planted=count,
        roc=Curve(false_rate, true_rate),
        precision_recall=Curve(recall[::-1], precision[::-1]),
    )


def highest(scores: Scores, share: float) -> NDArray[np.int64]:
    """Return the positions of the most suspicious `share` of the pairs, highest first, ties by position."""
    count = int(np.floor(share * len(scores) + 1e-9))
    return np.argsort(-scores, kind="stable")[:count].astype(np.int64)
