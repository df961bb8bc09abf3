"""From scores to probabilities: `suspicion`, p-values and flags.

PROVISIONAL: the robust z of the scores is read as standard normal, and Benjamini-Hochberg flags at 0.05.
Honest scores of web data have heavier tails than that, so the flags promise less than their 0.05 says.

* `suspicion` is −log10 p, computed in logarithms: it goes on ranking where p itself has become zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores
from bezoar.detection.robust import robust_z

FALSE_DISCOVERY_RATE = 0.05


@dataclass(frozen=True)
class Calibrated:
    """What a score means: each (n,), and the bar on suspicion at and above which pairs are flagged."""

    z: Scores
    p_value: Scores
    suspicion: Scores
    flagged: NDArray[np.bool_]
    threshold: float


def calibrate(scores: Scores, rate: float = FALSE_DISCOVERY_RATE) -> Calibrated:
    """Turn scores (n,), higher more suspicious, into p-values under the set's own null.

    `rate` is the false discovery rate aimed at. Scores without spread say nothing: p is 1, none is flagged.
    """
    from scipy.special import log_ndtr  # type: ignore[import-untyped]

    z = robust_z(scores)
    if z is None:
        ones = np.ones(len(scores))
        return Calibrated(np.zeros(len(scores)), ones, np.zeros(len(scores)), ones < 0, _bar(rate, max(1, len(scores))))
    log_p = log_ndtr(-z)
    suspicion = np.asarray(-log_p / np.log(10))
    flagged, threshold = benjamini_hochberg(suspicion, rate)
    return Calibrated(z, np.exp(log_p), suspicion, flagged, threshold)


def benjamini_hochberg(suspicion: Scores, rate: float) -> tuple[NDArray[np.bool_], float]:
    """Return who is flagged (n,) by the step-up rule, and the bar on suspicion that decides.

    Flag the r pairs of smallest p for the largest r with p_(r) <= rate·r/n (Benjamini and Hochberg 1995).
    Where none is flagged the bar is the one that a single pair would have had to pass.
    """
    n = len(suspicion)
    if n == 0:
        return np.zeros(0, np.bool_), 0.0
    falling = -np.sort(-suspicion)
    bars = np.log10(n) - np.log10(rate) - np.log10(np.arange(1, n + 1))
    passed = np.flatnonzero(falling >= bars)
    if len(passed) == 0:
        return np.zeros(n, np.bool_), _bar(rate, n)
    threshold = float(bars[passed[-1]])
    return suspicion >= threshold, threshold


def _bar(rate: float, n: int) -> float:
    return float(np.log10(n / rate))
