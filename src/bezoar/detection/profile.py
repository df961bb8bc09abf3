"""The gap in the sorted distances of a pair: planted together, then nobody for a while.

* A fixed k sees a campaign only while fewer than k of it are among the references. Whatever their number i, the
  distances of a planted pair jump after the i-th: from its fellows to everybody else.
* Honest near-copies make the same gap. What tells the two apart is whether captions agree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores

_CHUNK = 8192


def profile_gap(distances: NDArray[np.floating], floor: float) -> Scores:
    """Return max over i of i·ln(d_(i+1)/d_i) of ascending distances (n, k): (n,), never below 0; higher is suspicious.

    The factor i makes the terms about exponential, whatever i, where references lie evenly around the pair.
    `floor`: the smallest distance that counts. No gap opens at it: a pile of exact copies, however large, is no
    campaign by that alone, and the gap behind it is read from the first distance that counts. A single distance has no
    gap behind it: 0.
    """
    rank = np.arange(1, distances.shape[1])
    gaps = np.zeros(len(distances))
    for start in range(0, len(distances), _CHUNK):
        part = np.asarray(distances[start : start + _CHUNK], np.float64)
        steps = np.diff(np.log(np.maximum(part, floor)), axis=1)
        gaps[start : start + _CHUNK] = np.where(part[:, :-1] > floor, rank * steps, 0.0).max(axis=1, initial=0.0)
    return gaps
