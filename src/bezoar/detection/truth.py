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
    `recall_at_drop`: share of the planted pairs that are among the `dropped` most suspicious; `clean_lost`: share of
    the other pairs that are. `fpr_at_95_tpr`: share of the other pairs that score at least as high as the threshold
    that 95 % of the planted reach; so 99 and 100 %.
    """

    auroc: float
    average_precision: float
    recall_at_drop: float
    clean_lost: float
    fpr_at_95_tpr: float
    fpr_at_99_tpr: float
    fpr_at_100_tpr: float
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
        clean_lost=float((~planted[dropped]).sum() / (len(planted) - count)),
        fpr_at_95_tpr=false_positives(scores, planted, 95),
        fpr_at_99_tpr=false_positives(scores, planted, 99),
        fpr_at_100_tpr=false_positives(scores, planted, 100),
        dropped=len(dropped),
        planted=count,
        roc=Curve(false_rate, true_rate),
        precision_recall=Curve(recall[::-1], precision[::-1]),
    )


def false_positives(scores: Scores, planted: NDArray[np.bool_], percent: int) -> float:
    """Return the share of the others that score at least what `percent` % of the planted score or more."""
    found = np.sort(scores[planted])[::-1]
    threshold = found[-(-percent * len(found) // 100) - 1]  # whole numbers: a float would round 0.95 · 20 up
    return float((scores[~planted] >= threshold).mean())


def highest(scores: Scores, share: float) -> NDArray[np.int64]:
    """Return the positions of the most suspicious `share` of the pairs, highest first, ties by position."""
    count = int(np.floor(share * len(scores) + 1e-9))
    return np.argsort(-scores, kind="stable")[:count].astype(np.int64)
