"""The course of a training: which step follows which, from a recipe, and how many there are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bezoar.run import BezoarError
from bezoar.training.recipe import Phase, Recipe
from bezoar.training.settings import Settings


@dataclass(frozen=True)
class Place:
    """The next step: of phase, of its epoch, of the epoch's pass."""

    phase: int = 0
    epoch: int = 0
    walk: int = 0
    step: int = 0


@dataclass(frozen=True)
class Course:
    """A recipe on `pairs` usable pairs."""

    recipe: Recipe
    settings: Settings
    pairs: int

    def __post_init__(self) -> None:
        if self.pairs < self.settings.batch:
            raise BezoarError(
                f"{self.pairs} usable pairs are fewer than a batch of {self.settings.batch}.",
                "Add pairs or lower --batch.",
            )

    @property
    def per_epoch(self) -> int:
        """Steps of one walk over all pairs: whole batches only."""
        return self.pairs // self.settings.batch

    @property
    def steps(self) -> int:
        """Steps of all phases; where rows are split, about so many."""
        return sum(self.steps_of(phase) for phase in self.recipe.phases)

    def steps_of(self, phase: Phase) -> int:
        """Steps of one phase, at least one."""
        return max(1, round(phase.epochs(self.settings) * self.per_epoch))

    def epochs_of(self, phase: Phase) -> int:
        """Epochs of a phase, the last perhaps in part."""
        return math.ceil(self.steps_of(phase) / self.per_epoch)

    def steps_in(self, phase: Phase, epoch: int, rows: int) -> int:
        """Steps of a pass over `rows` rows in epoch `epoch` of the phase: all of them, in part in the last epoch."""
        left = min(1.0, self.steps_of(phase) / self.per_epoch - epoch)
        return round(left * (rows // self.settings.batch))

    def progress(self, phase: Phase, epoch: int, step: int, count: int) -> int:
        """Return how far in the phase step `step` of `count` in a pass is, in steps of the phase.

        Every pass of an epoch goes through the whole epoch's share of the schedule, however many rows it has.
        """
        here = min(self.per_epoch, self.steps_of(phase) - epoch * self.per_epoch)
        return epoch * self.per_epoch + (step * here) // max(1, count)
