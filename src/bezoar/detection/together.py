"""Pairs that were planted together say the same thing: suspicion is shared among pairs of like captions.

* Of the nearest captions of each pair, how many stand among the most suspicious of the set: more than chance would put
  there is a campaign towards that caption, and everybody in the neighbourhood is a little more suspect.
* It needs a ranking that is better than chance to begin with. On a clean set it prefers whatever captions the scores
  prefer, so what comes out is a ranking, not evidence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores
from bezoar.detection.reference import sample
from bezoar.detection.robust import robust_z

FLAGGED_SHARE = 0.02
NEIGHBOUR_SHARE = 0.05
WEIGHT = 4.0
MOST_REFERENCES = 20_000
_CHUNK = 512


def together(scores: Scores, captions: NDArray[np.float32], *, seed: int = 0) -> Scores:
    """Return scores (n,), higher more suspicious, with what pairs of like captions are suspected of.

    `captions` (n, d) are unit vectors that say which captions are alike. Above 20,000 pairs, neighbours are looked for
    in a sample that `seed` draws. Added to each robust z is WEIGHT times the logarithm of (flagged neighbours + 1) over
    (flagged neighbours that chance would bring + 1); flagged are the most suspicious 2 %, neighbours the nearest 5 %.
    """
    z = robust_z(scores)
    if z is None:
        return scores
    references = sample(len(scores), min(len(scores), MOST_REFERENCES), seed)
    count = max(1, round(NEIGHBOUR_SHARE * len(references)))
    flagged = np.zeros(len(scores), bool)
    flagged[np.argsort(-z, kind="stable")[: max(1, round(FLAGGED_SHARE * len(scores)))]] = True
    found = np.empty(len(scores))
    for start in range(0, len(scores), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(scores)))
        alike = captions[rows] @ captions[references].T
        alike[rows[:, None] == references] = -np.inf  # nobody is a witness against himself
        nearest = np.argpartition(-alike, count, axis=1)[:, :count]
        found[rows] = flagged[references][nearest].sum(axis=1)
    return np.asarray(z + WEIGHT * np.log((found + 1) / (flagged[references].mean() * count + 1)))
