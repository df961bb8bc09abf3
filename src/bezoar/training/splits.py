"""Splits: which rows are trusted in this epoch.

* Trust is one number a row, higher is more trusted; where it comes from is `bezoar.training.signals`' business.
* Every split is monotone in trust: where a row is safe, so is every row of more trust. Only at the edge of a share
  does position decide, the earlier row first.
* The rule decides once; from then on the safe share grows or stays, and the rows of most trust fill it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bezoar.detection import mixture
from bezoar.run import BROKEN_DATA, BezoarError

Trust = NDArray[np.float64]
Rows = NDArray[np.bool_]

# A share that was k / n must give k rows again, after sums of floats, too.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Threshold:
    """Safe is every row whose trust is at least `value`; that may be none. Yang et al., arXiv 2209.15266."""

    value: float

    def __call__(self, trust: Trust) -> Rows:
        """Return the safe rows, (n,)."""
        return np.asarray(trust >= self.value)


@dataclass(frozen=True)
class Fraction:
    """Safe is the `share`, in (0, 1], of most trust. Huang et al., arXiv 2502.01385, drop the rest."""

    share: float

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise BezoarError(f"A safe share of {self.share} is no share.", "Use one above 0, at most 1.")

    def __call__(self, trust: Trust) -> Rows:
        """Return the safe rows, (n,)."""
        return _top(trust, self.share)


@dataclass(frozen=True)
class Mixture:
    """Safe is what a mixture of two normal distributions gives to the one of higher mean with `confidence` in (0, 1).

    SafeCLIP (arXiv 2310.05862) sorts rows by that posterior, which is not monotone in trust where the variances
    differ: the wide component takes both ends back. Here the posterior only places a threshold on trust itself.
    """

    confidence: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise BezoarError(f"A confidence of {self.confidence} cannot be reached.", "Use one between 0 and 1.")

    def __call__(self, trust: Trust) -> Rows:
        """Return the safe rows, (n,): never none; all of them where all are trusted alike."""
        standard = mixture.standardised(trust)
        if standard is None:
            return np.ones(len(trust), np.bool_)
        edge = min(mixture.crossing(mixture.fit_two(standard), self.confidence), float(standard.max()))
        return np.asarray(standard >= edge)


@dataclass(frozen=True)
class Campaign:
    """Risky are `times` as many rows as a campaign is estimated to have (`bezoar.detection.together`), at most `most`.

    Of these the least trusted part, one in `times`, is the campaign itself; the rest is doubtful.
    """

    times: float = 2.0
    most: float = 0.2

    def fraction(self, size: int, rows: int) -> Fraction:
        """Return the rule for a campaign of `size` among `rows` rows."""
        return Fraction(1 - min(self.most, self.times * size / rows))


Rule = Threshold | Fraction | Mixture | Campaign


@dataclass(frozen=True)
class Split:
    """How rows are divided into safe and risky ones.

    `rule` divides them the first time, by the trust that `signal` gives (a name in `signals.SIGNALS`, or "scan" for
    scores that came with the pairs). At every later epoch the safe share grows by `grow`; it never exceeds `most`.
    `shared`: distrust is shared among pairs of like captions (`bezoar.detection.together`).
    """

    rule: Rule
    signal: str = "cosine"
    grow: float = 0.0
    most: float = 1.0
    shared: bool = False

    def __post_init__(self) -> None:
        if self.grow < 0 or not 0 < self.most <= 1:
            raise BezoarError(
                f"A safe share that grows by {self.grow} up to {self.most} is no split.",
                "Use a growth of 0 or more and a largest share above 0, at most 1.",
            )


def divide(split: Split, trust: Trust, share: float | None, size: int = 0) -> tuple[Rows, float]:
    """Return the safe rows, bool (n,), and the safe share, to be handed in again at the next epoch.

    `trust` (n,), finite; `share` None the first time; `size` is that of the campaign, where the rule asks for it. What
    comes back is the share as it was asked for, not as whole rows fill it, so that a growth of less than one row an
    epoch adds up. Raises BezoarError for trust that is not one finite number a row. SafeCLIP, 2310.05862: first a
    `Mixture(0.9)`, then 0.01 an epoch up to 0.85.
    """
    trust = np.asarray(trust, np.float64)
    if trust.ndim != 1 or len(trust) == 0 or not np.isfinite(trust).all():
        raise BezoarError(
            f"Trust of shape {trust.shape} is not one finite number for each row.",
            "Leave out the pairs that have no score.",
            BROKEN_DATA,
        )
    if share is not None:
        share = min(share + split.grow, split.most)
        return _top(trust, share), share
    rule = split.rule.fraction(size, len(trust)) if isinstance(split.rule, Campaign) else split.rule
    safe = rule(trust)
    if safe.mean() > split.most:
        return _top(trust, split.most), split.most
    return safe, float(safe.mean())


def _top(trust: Trust, share: float) -> Rows:
    count = math.floor(share * len(trust) + _ROUNDING)
    safe = np.zeros(len(trust), np.bool_)
    safe[np.argsort(-trust, kind="stable")[:count]] = True
    return safe
