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
CORE = 0.4
MOST_REFERENCES = 20_000
_CHUNK = 512

Captions = NDArray[np.float32]


def together(scores: Scores, captions: Captions, *, seed: int = 0) -> Scores:
    """Return scores (n,), higher more suspicious, with what pairs of like captions are suspected of.

    `captions` (n, d) are unit vectors that say which captions are alike. Added to each robust z is WEIGHT times the
    `lift` of the pair's captions.
    """
    z = robust_z(scores)
    return scores if z is None else np.asarray(z + WEIGHT * lift(z, captions, seed))


def campaign_size(scores: Scores, captions: Captions, *, seed: int = 0) -> int:
    """Return about how many pairs were planted towards the captions that are suspected most.

    Among the pairs of these captions (a lift of at least CORE of the highest) more stand above any score than the
    other captions would lead one to expect: the largest such excess. It is an estimate for one campaign, and of a
    clean set it is a few pairs, not none.
    """
    z = robust_z(scores)
    if z is None:
        return 0
    gain = lift(z, captions, seed)
    core = gain > CORE * max(gain.max(), 0.0)
    if not core.any() or core.all():
        return 0
    inside, outside = np.sort(z[core])[::-1], np.sort(z[~core])
    above = 1 - np.searchsorted(outside, inside) / len(outside)
    return max(0, int((np.arange(1, len(inside) + 1) - core.sum() * above).max()))


def lift(z: Scores, captions: Captions, seed: int = 0) -> Scores:
    """Return the logarithm of (flagged neighbours + 1) over (those that chance would bring + 1), (n,).

    Flagged are the most suspicious 2 %, neighbours the 5 % of nearest captions; above 20,000 pairs, of a sample that
    `seed` draws.
    """
    references = sample(len(z), min(len(z), MOST_REFERENCES), seed)
    count = max(1, round(NEIGHBOUR_SHARE * len(references)))
    flagged = np.zeros(len(z), bool)
    flagged[np.argsort(-z, kind="stable")[: max(1, round(FLAGGED_SHARE * len(z)))]] = True
    found = np.empty(len(z))
    for start in range(0, len(z), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(z)))
        alike = captions[rows] @ captions[references].T
        alike[rows[:, None] == references] = -np.inf  # nobody is a witness against himself
        nearest = np.argpartition(-alike, count, axis=1)[:, :count]
        found[rows] = flagged[references][nearest].sum(axis=1)
    return np.asarray(np.log((found + 1) / (flagged[references].mean() * count + 1)))
