"""From scores to probabilities and flags: `suspicion`, p-values, and a decision that says nothing where it cannot.

A pair is flagged in one of two ways, each at the false-discovery rate that was asked for.

* Alone: its score is higher than the tail of the honest ones makes likely (Benjamini and Hochberg 1995). The tail is
  taken to fall exponentially from the 80 % quantile on, at the rate seen up to the 90 %; sums of several witnesses fall
  faster, so p is too large rather than too small. It is fitted to the set without the pairs that are flagged, again
  and again until these stay the same: fitted to all, poison would widen it and hide.
* In a group: with others of like captions (`together.groups`), where no form of a tail is assumed.

`suspicion` is −log10 p, computed in logarithms: it goes on ranking where p itself has become zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores
from bezoar.detection.neighbours import Indices
from bezoar.detection.robust import robust_z

FALSE_DISCOVERY_RATE = 0.05
FEWEST_PAIRS = 200
_FROM, _TO = 0.8, 0.9
# As far as this the tail is held against the one that was fitted.
_FAR = 0.97
_ROUNDS = 20


@dataclass(frozen=True)
class Calibrated:
    """What scores (n,) mean.

    `z`, `p_value`, `suspicion`: (n,) each. `flagged` (n,); `threshold`: the bar on suspicion at and above which a pair
    is flagged alone; `group` (n,): the number of the group that a pair was flagged in, from 0, or -1. `refusal`: why
    no pair is flagged alone, where it could not be decided.
    """

    z: Scores
    p_value: Scores
    suspicion: Scores
    flagged: NDArray[np.bool_]
    threshold: float
    group: Indices
    refusal: str | None = None

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Pairs that are flagged by themselves, (n,)."""
        return self.flagged & (self.group < 0)


@dataclass(frozen=True)
class Tail:
    """Honest scores beyond `start`: the share `share` of them, thinning out by e every `scale`."""

    start: float
    scale: float
    share: float

    @staticmethod
    def fitted(scores: Scores) -> Tail | None:
        """Return the tail of honest scores (n,), or None where they are all alike."""
        scale = _thinning(scores, _FROM, _TO)
        start = float(np.quantile(scores, _FROM))
        return Tail(start, scale, 1 - _FROM) if scale > 1e-9 * np.abs(scores).max() else None

    def log_p(self, scores: Scores) -> Scores:
        """Return ln of the chance that an honest score is as high; below the start, 1 falling to the share."""
        beyond = np.log(self.share) - (scores - self.start) / self.scale
        ascending = np.sort(scores)
        above = 1 - np.searchsorted(ascending, scores, side="left") / len(scores)
        return np.where(scores > self.start, beyond, np.log(np.maximum(above, self.share)))


def calibrate(scores: Scores, rate: float = FALSE_DISCOVERY_RATE, groups: Sequence[Indices] = ()) -> Calibrated:
    """Turn scores (n,), higher more suspicious, into p-values under the set's own null, and decide.

    `rate` is the false-discovery rate aimed at; `groups` what was found together at that rate. Scores without spread
    say nothing: p is 1, none is flagged alone. Nor is any where there are fewer than 200 pairs, or where the tail is
    heavier than what was fitted to it; `refusal` says so.
    """
    n = len(scores)
    group = np.full(n, -1, np.int64)
    for number, members in enumerate(groups):
        group[members] = number
    z = robust_z(scores)
    tail, alone = (None, group >= 0) if z is None else _purged(scores, group >= 0, rate)
    if z is None or tail is None:
        bar = _bar(rate, max(1, n))
        return Calibrated(np.zeros(n), np.ones(n), np.zeros(n), group >= 0, bar, group, "all pairs are alike")
    suspicion = -tail.log_p(scores) / np.log(10)
    refusal = _refusal(scores[group < 0])
    if refusal is not None:
        alone = np.zeros(n, np.bool_)
    threshold = float(suspicion[alone].min()) if alone.any() else _bar(rate, n)
    return Calibrated(z, 10.0**-suspicion, suspicion, alone | (group >= 0), threshold, group, refusal)


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


def _purged(scores: Scores, grouped: NDArray[np.bool_], rate: float) -> tuple[Tail | None, NDArray[np.bool_]]:
    """Return the tail of the pairs that are neither grouped nor flagged, and those that are flagged, (n,)."""
    flagged = np.zeros(len(scores), np.bool_)
    for _ in range(_ROUNDS):
        tail = Tail.fitted(scores[~grouped & ~flagged])
        if tail is None:
            break
        # By themselves: what was found in groups already must not lower the bar for the others.
        again = np.zeros(len(scores), np.bool_)
        again[~grouped], _ = benjamini_hochberg(-tail.log_p(scores[~grouped]) / np.log(10), rate)
        if (again == flagged).all():
            break
        flagged = again
    return tail, flagged


def _refusal(scores: Scores) -> str | None:
    """Say why nobody can be flagged alone among these scores, or None.

    Beyond the 90 % quantile an exponential tail thins out as it did before it; one that does so more slowly, by more
    than chance, is heavier, and then the highest honest scores are higher than p says. Two per cent of poison that is
    in no group looks the same, so it is ranked and not flagged.
    """
    if len(scores) < FEWEST_PAIRS:
        return f"{len(scores):,} pairs are too few to know the tail of honest scores by"
    near, far = (_thinning(scores, *part) for part in ((_FROM, _TO), (_TO, _FAR)))
    counts = len(scores) * np.array([_TO - _FROM, _FAR - _TO])
    if far > near * (1 + 3 * float(np.sqrt((1 / counts).sum()))):
        return f"the tail of the scores is heavier than its beginning promises ({far:.3g} against {near:.3g})"
    return None


def _thinning(scores: Scores, start: float, end: float) -> float:
    """Return over which distance the scores between two quantiles thin out by e."""
    low, high = np.quantile(scores, [start, end])
    return float(high - low) / float(np.log((1 - start) / (1 - end)))


def _bar(rate: float, n: int) -> float:
    return float(np.log10(n / rate))
