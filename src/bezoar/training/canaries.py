"""Canaries in what a model was trained on: which rows are theirs, and whether the model took them in.

* They stand behind the set's own pairs and leave the tables again before anything of the set is scored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.attacks import Plan
from bezoar.detection.evidence import Evidence
from bezoar.detection.neighbours import Indices
from bezoar.detection.power import Campaign
from bezoar.evaluation.measure import Measure
from bezoar.evaluation.taken import taken
from bezoar.models import Clip
from bezoar.pairs.decoded import Decoded


@dataclass(frozen=True)
class Planted:
    """A set with canaries behind it, and the model that was trained on both.

    `decoded` holds all pairs, the first `size` of them the set's own; `usable` (n,) are the positions of those that
    were read, ascending, and `whole` is the evidence of these n.
    """

    plan: Plan
    clip: Clip
    decoded: Decoded
    usable: Indices
    whole: Evidence
    size: int

    @property
    def own(self) -> Indices:
        """The rows of `whole` that are the set's own."""
        return np.flatnonzero(self.usable < self.size)

    @property
    def campaigns(self) -> list[Campaign]:
        """What was planted, and where it stands in `whole`."""
        keys = self.decoded.pairs.keys
        served = {edit.key: edit.goal for edit in self.plan.planted}
        goals = np.array([None if at < self.size else served[keys[at]] for at in self.usable], object)
        return [
            Campaign(str(goal.trigger).rpartition("-")[0], goal.target, np.flatnonzero(goals == goal.name))
            for goal in self.plan.goals
        ]

    @property
    def note(self) -> str:
        """What the reader has to know of a scan with canaries."""
        return (
            f"The model was trained on {len(self.plan.planted):,} canaries as well. They are in no table and no count, "
            "and the data are as they were; but a model that learned them scores the set's own pairs a little "
            "otherwise."
        )

    def learned(self, seed: int, device: str) -> dict[str, tuple[Measure, Measure]]:
        """Return the success of each trigger on pictures of the set, and that of none, by the target."""
        rows = self.usable[self.own]
        return {
            goal.target: taken(self.clip, self.decoded, rows, self.plan, goal, seed=seed, device=device)
            for goal in self.plan.goals
        }
