"""Scores on one scale, read off the half of the set where no poison lies.

z = (score − median) / (median − 15.9 % quantile). Planted pairs sit above, so the spread comes from the lower
half; for a normal score it is the standard deviation.
"""

from __future__ import annotations

import numpy as np

from bezoar.detection.density import Scores

# The normal distribution's share below one standard deviation under the mean.
_ONE_DEVIATION = 0.15865525393145707


def robust_z(scores: Scores) -> Scores | None:
    """Return z (n,) of finite scores (n,), or None where the lower half has no spread to measure by."""
    if len(scores) == 0:
        return None
    median = np.median(scores)
    spread = median - np.quantile(scores, _ONE_DEVIATION)
    # Rounding noise of equal scores is no spread.
    if not spread > 1e-9 * max(abs(median), float(np.abs(scores).max())):
        return None
    return np.asarray((scores - median) / spread, np.float64)
