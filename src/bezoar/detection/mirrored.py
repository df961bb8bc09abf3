"""A decision by mirror: what scores would be without poison is read off a second score with its sign turned round.

* Honest scores are taken to lie as far below their middle as above: then as many mirrored ones pass a bar as honest
  ones do, and their count over that of the scores estimates the share of false findings (Barber and Candès 2015;
  Arias-Castro and Chen 2017).
* p = (1 + how many of the mirror lie at or above) / (n + 1), and Benjamini-Hochberg. Fewer than 1/rate pairs (20 at
  5 %) are never flagged: nothing less can be told from one chance in n.
* Where the mirror has no more to count, its tail is taken to fall exponentially, for the order's sake only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.calibration import Calibrated
from bezoar.detection.density import Scores
from bezoar.detection.robust import robust_z

_TAIL = 0.01


def decide_by_mirror(scores: Scores, mirror: Scores, rate: float) -> Calibrated:
    """Turn scores (n,), higher more suspicious, and their mirror (n,) into p-values and flags.

    `rate` is the false-discovery rate aimed at.
    """
    n = len(scores)
    ascending = np.sort(mirror)
    above = n - np.searchsorted(ascending, scores, side="left")
    counted = (1 + above) / (n + 1)
    flagged = _flagged(counted, rate)
    suspicion = _suspicion(scores, ascending, counted)
    # Where none is flagged the bar lies above all: the tail may promise more than counting can hold.
    bar = suspicion[flagged].min() if flagged.any() else np.nextafter(suspicion.max(initial=np.log10(1 / rate)), np.inf)
    z = robust_z(scores)
    return Calibrated(
        z=np.zeros(n) if z is None else z,
        p_value=10.0**-suspicion,
        suspicion=suspicion,
        flagged=flagged,
        threshold=float(bar),
        group=np.full(n, -1, np.int64),
    )


def _flagged(p: Scores, rate: float) -> NDArray[np.bool_]:
    ordered = np.sort(p)
    passed = np.flatnonzero(ordered <= rate * np.arange(1, len(p) + 1) / max(1, len(p)))
    return np.asarray(p <= ordered[passed[-1]]) if len(passed) else np.zeros(len(p), np.bool_)


def _suspicion(scores: Scores, ascending: Scores, counted: Scores) -> Scores:
    """Return −log10 p: as counted, and beyond the mirror's highest 1 % by an exponential tail of its mean excess."""
    if len(scores) == 0:
        return np.zeros(0)
    tail = ascending[-max(1, round(_TAIL * len(ascending))) :]
    excess = float((tail - tail[0]).mean())
    if excess <= 0:  # too few pairs, or all alike, to know a tail by
        return np.asarray(-np.log10(counted))
    beyond = np.log10((1 + len(tail)) / (len(ascending) + 1)) - (scores - tail[0]) / excess / np.log(10)
    return np.asarray(-np.where(scores > tail[0], beyond, np.log10(counted)))
