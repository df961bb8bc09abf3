"""How much would a scan have found? Canaries are put back into the table, one campaign at a time.

* A campaign is judged as it would have been met: beside the set's own pairs, without the other campaigns, by the very
  decision that the scan makes.
* Counts and ranks only; what they promise for other triggers is for the reader to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence
from bezoar.detection.excerpt import excerpt
from bezoar.detection.neighbours import Indices

Decide = Callable[[Evidence], tuple[Scores, NDArray[np.bool_]]]
# From this share on a campaign counts as seen: whoever looks at what is flagged meets it.
SEEN_SHARE = 0.5


@dataclass(frozen=True)
class Campaign:
    """Canaries of one trigger towards one target; `rows` are theirs in a table of all pairs."""

    trigger: str
    target: str
    rows: Indices


@dataclass(frozen=True)
class Found:
    """What a scan makes of one campaign among `others` pairs of the set.

    `flagged` of its `planted` pairs are above the decision; `ranks` (planted,), ascending, are their places among the
    set's own pairs, from 1: how many of those score as high or higher, and one.
    """

    trigger: str
    target: str
    planted: int
    others: int
    flagged: int
    ranks: Indices

    @property
    def rate(self) -> float:
        """The share of the table that the campaign has."""
        return self.planted / (self.planted + self.others)

    @property
    def seen(self) -> bool:
        """Whether half of the campaign is flagged."""
        return self.flagged >= SEEN_SHARE * self.planted

    def within(self, share: float) -> int:
        """Return how many stand among the most suspicious `share` of the set's own pairs."""
        return int((self.ranks <= share * self.others).sum())


def look_for(whole: Evidence, own: Indices, campaigns: Iterable[Campaign], decide: Decide) -> list[Found]:
    """Return what `decide` makes of each campaign of `whole` beside the set's `own` rows; none for one without rows.

    `decide` gives scores (n,), higher more suspicious, and who is flagged (n,).
    """
    found = []
    for campaign in campaigns:
        if len(campaign.rows):
            scores, flagged = decide(excerpt(whole, np.concatenate([own, campaign.rows])))
            found.append(judge_canaries(campaign, scores, flagged, len(own)))
    return found


def judge_canaries(campaign: Campaign, scores: Scores, flagged: NDArray[np.bool_], own: int) -> Found:
    """Return where a campaign ranks, from scores and flags (n,) of which the first `own` are the set's."""
    above = own - np.searchsorted(np.sort(scores[:own]), scores[own:], side="left")
    return Found(
        campaign.trigger,
        campaign.target,
        len(scores) - own,
        own,
        int(flagged[own:].sum()),
        np.sort(above + 1).astype(np.int64),
    )


def visible_rates(found: Iterable[Found]) -> dict[str, float | None]:
    """Return, by trigger, the smallest rate that was seen and all larger ones with it; None where there is none."""
    by_trigger: dict[str, list[Found]] = {}
    for one in sorted(found, key=lambda one: -one.rate):
        by_trigger.setdefault(one.trigger, []).append(one)
    seen = {trigger: list(takewhile(lambda one: one.seen, own)) for trigger, own in by_trigger.items()}
    return {trigger: own[-1].rate if own else None for trigger, own in seen.items()}
