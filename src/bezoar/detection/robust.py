"""Scores on one scale, measured on the side where poison lies, but below where it begins.

z = (score − median) / (90 % quantile − median) · 1.28, a standard deviation for a normal score. Honest scores are
skewed: what counts is how far up they reach by themselves. Up to some 5 % of poison above moves that quantile little.
"""

from __future__ import annotations

import numpy as np

from bezoar.detection.density import Scores

_UPPER = 0.9
# Where the normal distribution has its upper tenth.
_DEVIATIONS = 1.2815515655446004


def robust_z(scores: Scores) -> Scores | None:
    """Return z (n,) of finite scores (n,), or None where they do not spread above their median."""
    unit = deviation(scores)
    return None if unit is None else np.asarray((scores - np.median(scores)) / unit, np.float64)


def deviation(scores: Scores) -> float | None:
    """Return what one deviation of finite scores (n,) is, or None where they do not spread above their median."""
    if len(scores) == 0:
        return None
    median = np.median(scores)
    # A score that was seen, not one between two: else a single one that stands out would be spread.
    unit = float(np.quantile(scores, _UPPER, method="lower") - median) / _DEVIATIONS
    # Rounding noise of equal scores is no spread.
    return unit if unit > 1e-9 * max(abs(median), float(np.abs(scores).max())) else None
