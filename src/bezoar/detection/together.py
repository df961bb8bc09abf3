"""Pairs that were planted together say the same thing: suspicion is shared among pairs of like captions.

* Of the nearest captions of each pair, how many stand among the most suspicious of the set: more than chance would put
  there is a campaign towards that caption, and everybody in the neighbourhood is a little more suspect.
* It needs a ranking that is better than chance to begin with. On a clean set it prefers whatever captions the scores
  prefer, so what comes out is a ranking, not evidence.
* Evidence is the excess: how many pairs of these captions stand above a score, against how many would if they were
  like the pairs of all other captions. No form of the tail is assumed; the other captions show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.detection.density import Scores
from bezoar.detection.neighbours import Indices, Table, chunks
from bezoar.detection.part import Part
from bezoar.detection.reference import sample
from bezoar.detection.robust import robust_z

FLAGGED_SHARE = 0.02
NEIGHBOUR_SHARE = 0.05
WEIGHT = 4.0
CORE = 0.4
# Honest captions differ in how suspicious they are: one in a hundred pairs lies among captions at least so suspicious.
HONEST = 0.99
# And poison makes honest pairs of its captions fit worse: they are taken to be half a deviation more suspicious.
SHIFT = 0.5
MOST_GROUPS = 20
MOST_REFERENCES = 20_000
_CHUNK = 512


def together(scores: Scores, captions: Table, *, seed: int = 0) -> Scores:
    """Return scores (n,), higher more suspicious, with what pairs of like captions are suspected of.

    `captions` float32 (n, d) are unit vectors that say which captions are alike, read in chunks. Added to each robust z
    is WEIGHT times the `lift` of the pair's captions.
    """
    z = robust_z(scores)
    return scores if z is None else np.asarray(z + WEIGHT * lift(z, captions, seed))


def campaign_size(scores: Scores, captions: Table, *, seed: int = 0) -> int:
    """Return about how many pairs were planted towards the captions that are suspected most.

    It is the largest excess above any score: an estimate for one campaign, and of a clean set it is a few pairs, not
    none.
    """
    z = robust_z(scores)
    excess = None if z is None else _excess(z, captions, seed)
    if excess is None:
        return 0
    count = np.arange(1, len(excess.core) + 1)
    return max(0, int((count - len(excess.core) * excess.above).max()))


def groups(scores: Scores, captions: Table, rate: float, *, seed: int = 0) -> list[Indices]:
    """Return the pairs that were planted together beyond doubt, group by group, the most suspicious pair first.

    `scores` (n,), higher more suspicious, must not hold suspicion that was shared already. A group is as large as it
    can be while at most the share `rate` of it is expected to be honest: (h · e + 1) / size, e how many of so many
    pairs of other captions stand as high, h how much more suspicious than the mean the captions of an honest pair in a
    hundred are, and e counted as if these captions' honest pairs stood half a deviation higher than others. So no group
    is smaller than 1 / rate (20 pairs at 5 %). What was found leaves, and the rest is looked at again.
    """
    left, found = np.arange(len(scores)), []
    for _ in range(MOST_GROUPS):
        members = _group(scores[left], Part(captions, left), rate, seed)
        if len(members) == 0:
            break
        found.append(left[members])
        left = np.delete(left, members)
    return found


def lift(z: Scores, captions: Table, seed: int = 0) -> Scores:
    """Return the logarithm of (flagged neighbours + 1) over (those that chance would bring + 1), (n,).

    Flagged are the most suspicious 2 %, neighbours the 5 % of nearest captions; above 20,000 pairs, of a sample that
    `seed` draws.
    """
    if len(z) < 2:
        return np.zeros(len(z))
    references = sample(len(z), min(len(z), MOST_REFERENCES), seed)
    count = max(1, round(NEIGHBOUR_SHARE * len(references)))
    flagged = np.zeros(len(z), bool)
    flagged[np.argsort(-z, kind="stable")[: max(1, round(FLAGGED_SHARE * len(z)))]] = True
    asked, found = captions[references].T, np.empty(len(z))
    for part in chunks(len(z), _CHUNK):
        alike = captions[part] @ asked
        alike[np.arange(part.start, part.stop)[:, None] == references] = -np.inf  # nobody is a witness against himself
        nearest = np.argpartition(-alike, count, axis=1)[:, :count]
        found[part] = flagged[references][nearest].sum(axis=1)
    return np.asarray(np.log((found + 1) / (flagged[references].mean() * count + 1)))


@dataclass(frozen=True)
class _Excess:
    """The pairs of the captions that are suspected most, against all others.

    `core`: their positions, the highest score first; `above`: the share of other pairs that stand at least as high;
    `at_most`: the same, were the core's honest pairs half a deviation more suspicious; `honest`: how much more
    suspicious than the mean the most suspected of the other captions are.
    """

    core: Indices
    above: Scores
    at_most: Scores
    honest: float


def _excess(z: Scores, captions: Table, seed: int) -> _Excess | None:
    gain = lift(z, captions, seed)
    inside = gain > CORE * max(gain.max(), 0.0)
    if not inside.any() or inside.all():
        return None
    core = np.flatnonzero(inside)
    core = core[np.argsort(-z[core], kind="stable")]
    outside = np.sort(z[~inside])
    above, at_most = (1 - np.searchsorted(outside, z[core] - by) / len(outside) for by in (0.0, SHIFT))
    return _Excess(core, above, at_most, max(1.0, float(np.exp(np.quantile(gain[~inside], HONEST)))))


def _group(scores: Scores, captions: Table, rate: float, seed: int) -> Indices:
    z = robust_z(scores)
    excess = None if z is None else _excess(z, captions, seed)
    if excess is None:
        return np.zeros(0, np.int64)
    expected = excess.honest * len(excess.core) * excess.at_most + 1
    passed = np.flatnonzero(expected <= rate * np.arange(1, len(excess.core) + 1))
    return excess.core[: passed[-1] + 1] if len(passed) else np.zeros(0, np.int64)
