"""A recipe is training as data: phases, each a split of the rows, walks over them, losses and a rate.

* A phase lasts a share of the recipe's epochs, so a recipe keeps its proportions at any length.
* A pass walks once over some of the rows with one loss; several passes of an epoch follow one another.
* `settings` are the constants for some ten thousand pairs, `paper_settings` those of the paper, at the scale of
  millions; `docs/recipes/` says by which rule the one follows from the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from bezoar.run import BezoarError, nearest
from bezoar.training.settings import Settings
from bezoar.training.splits import Split

SCALES = ("data", "paper")
BASE = "base"
OWN = "own"


@dataclass(frozen=True)
class Pass:
    """One walk over rows with one loss.

    `terms`: weight and name of each loss (`bezoar.training.losses.TERMS`). `pictures` and `captions`: the looks that
    the loss compares, in its order: "base" is the picture under the set's own augmentation, "own" the caption as it
    is, all else names of `bezoar.views`. Taken in the epochs whose number modulo `of` is `turn`, at `rate` times the
    phase's learning rate. `beside`: so many distrusted rows join each batch.
    """

    name: str
    terms: tuple[tuple[float, str], ...]
    rows: Literal["all", "safe", "risky"] = "all"
    pictures: tuple[str, ...] = (BASE,)
    captions: tuple[str, ...] = (OWN,)
    turn: int = 0
    of: int = 1
    rate: float = 1.0
    beside: int = 0


@dataclass(frozen=True)
class Phase:
    """Some epochs of the same kind: `share` of the recipe's.

    `split` says which rows are safe, decided before each epoch, or before the first only where `once`. `peak` times
    the recipe's learning rate is the highest one here, `shape` its course (SHAPES). `restart`: from new weights.
    `spared_by_scan`: left out where scores of a scan are given.
    """

    name: str
    share: float
    passes: tuple[Pass, ...]
    split: Split | None = None
    once: bool = False
    peak: float = 1.0
    shape: str = "cosine"
    restart: bool = False
    spared_by_scan: bool = False

    def epochs(self, settings: Settings) -> float:
        """Return how many passes over the set this phase lasts."""
        return self.share * settings.epochs

    def rate(self, settings: Settings, step: int, steps: int) -> float:
        """Return the learning rate of step `step` (from 0) of the phase's `steps`."""
        return SHAPES[self.shape](self.peak * settings.learning_rate, step, steps, settings.warmup)


@dataclass(frozen=True)
class Recipe:
    """One way to train or to repair.

    `repairs`: goes on from a trained model. `needs`: what it cannot do without, of "scan", "plan", "labels".
    `fixed_temperature`: the logit scale gets no gradient. `settles`: the share of steps before which a repair may
    harm the model by design. `paper_phases` are those of the paper where they differ.
    """

    name: str
    paper: str
    summary: str
    phases: tuple[Phase, ...]
    settings: Settings = field(default_factory=Settings)
    paper_settings: Settings = field(default_factory=Settings)
    paper_phases: tuple[Phase, ...] = ()
    repairs: bool = False
    needs: tuple[str, ...] = ()
    fixed_temperature: bool = False
    settles: float = 0.0

    def at(self, scale: str) -> Recipe:
        """Return the recipe for a scale: "data", some ten thousand pairs, or "paper", the paper's constants."""
        if scale not in SCALES:
            raise BezoarError(f"There is no scale {scale}.", nearest(scale, SCALES))
        if scale == "data":
            return self
        return replace(self, phases=self.paper_phases or self.phases, settings=self.paper_settings)

    def with_scan(self) -> Recipe:
        """Return the recipe for pairs that have been scanned."""
        return replace(self, phases=tuple(phase for phase in self.phases if not phase.spared_by_scan))

    @property
    def cost(self) -> float:
        """How many pictures are looked at for each of plain training, about: the time that it takes, in trainings."""
        return sum(
            phase.share * sum(len(walk.pictures) / walk.of for walk in phase.passes if walk.rows != "risky")
            for phase in self.phases
        )

    def uses(self, term: str) -> bool:
        """Say whether a loss of this name is asked for."""
        return any(term == name for phase in self.phases for walk in phase.passes for _, name in walk.terms)


def _cosine(top: float, step: int, steps: int, warmup: float) -> float:
    rising = max(1, round(warmup * steps))
    if step < rising:
        return top * (step + 1) / rising
    return top * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def _constant(top: float, step: int, steps: int, warmup: float) -> float:
    del step, steps, warmup
    return top


def _falling(top: float, step: int, steps: int, warmup: float) -> float:
    """Fall in a line to a tenth over the first half, then by a cosine to zero (PAR's "warm-up" goes down)."""
    del warmup
    half = max(1, steps // 2)
    if step < half:
        return top * (1.0 - 0.9 * step / half)
    return top * 0.05 * (1 + math.cos(math.pi * (step - half) / max(1, steps - half)))


SHAPES: dict[str, Callable[[float, int, int, float], float]] = {
    "cosine": _cosine,
    "constant": _constant,
    "falling": _falling,
}
