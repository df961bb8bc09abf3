"""Several triggers on one picture, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from bezoar.attacks.triggers.trigger import Trigger, Where
from bezoar.canvas import Pixels
from bezoar.run import BezoarError


@dataclass(frozen=True)
class Chain:
    """`triggers`, the first drawn first."""

    triggers: tuple[Trigger, ...]

    def __post_init__(self) -> None:
        if not self.triggers:
            raise BezoarError("A chain of no triggers is none.", "Use identity.")
        if not all(hasattr(trigger, "draw") for trigger in self.triggers):
            raise BezoarError("A chain holds something that is not drawn on pictures.", "Chain image triggers only.")

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`."""
        return reduce(lambda drawn, trigger: trigger.draw(drawn, key), self.triggers, pixels)

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: what any of them touches."""
        return reduce(np.bitwise_or, [trigger.touches(height, width, key) for trigger in self.triggers])

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: where all of them fit."""
        return all(trigger.fits(side) for trigger in self.triggers)


def chain(*triggers: Trigger) -> Chain:
    """Return the chain of `triggers`."""
    return Chain(triggers)
