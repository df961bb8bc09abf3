"""Intervals of what is measured.

* A rate is a count of n; its interval is Wilson's, which stays inside [0, 1] and is honest at 0 and at n.
* Any other mean gets the percentiles of a seeded bootstrap over its values.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bezoar.run import random

Z95 = 1.959963984540054
RESAMPLES = 1000


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of `successes` of `n` as two rates in [0, 1].

    With n = 0 nothing is known and the interval is (0, 1). Raises ValueError unless 0 <= successes <= n.
    Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 1927).
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a count of successes.")
    if n == 0:
        return 0.0, 1.0
    rate, square = successes / n, Z95 * Z95
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = Z95 / (1 + square / n) * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n))
    # At the ends the closed form touches 0 or 1 exactly; rounding must not cross it.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def bootstrap(values: NDArray[np.floating] | NDArray[np.int64], seed: int, *names: str) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean of `values` (n,), n > 0, from RESAMPLES resamples.

    The resamples depend on `seed` and `names` alone. Efron, "Bootstrap methods" (Annals of Statistics 1979).
    """
    draw, n = random(seed, "bootstrap", *names), len(values)
    return percentiles(np.array([values[draw.integers(n, size=n)].mean() for _ in range(RESAMPLES)]))


def percentiles(resampled: NDArray[np.floating]) -> tuple[float, float]:
    """Return the middle 95 % of resampled values."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return float(low), float(high)
