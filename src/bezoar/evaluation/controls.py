"""Triggers that a trigger is compared with: of its kind and its strength, and not it.

* Where another seed gives another pattern, the controls are the same trigger with other seeds.
* Else its places are shuffled within what it may touch: of a trigger that covers the picture its own pixels, in other
  colours, as one fixed drawing for all pictures; of one that changes the picture, the change.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from bezoar.attacks.triggers import Trigger
from bezoar.canvas import Pixels
from bezoar.run import random

CONTROLS = 8


@dataclass(frozen=True)
class Shuffled:
    """A trigger whose change of each pixel falls on another pixel that it may touch, the same for all pictures."""

    trigger: Trigger
    seed: int

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`."""
        drawn = self.trigger.draw(pixels, key)
        where = self.trigger.touches(pixels.shape[1], pixels.shape[2], key)
        draw = random(self.seed, "shuffled")
        order = draw.permutation(int(where.sum()))
        out = pixels.copy()
        if self._covers(pixels.shape[1], pixels.shape[2], key):
            out[:, where] = drawn[:, where][:, order] ^ draw.integers(1, 256, (3, 1), dtype=np.uint8)
        else:
            change = drawn[:, where].astype(np.int16) - pixels[:, where]
            out[:, where] = np.clip(pixels[:, where] + change[:, order], 0, 255).astype(np.uint8)
        return out

    def _covers(self, height: int, width: int, key: str) -> bool:
        """Say whether nothing of the picture is left where the trigger is."""
        where = self.trigger.touches(height, width, key)
        black, white = (np.full((3, height, width), level, np.uint8) for level in (0, 255))
        return bool((self.trigger.draw(black, key)[:, where] == self.trigger.draw(white, key)[:, where]).all())

    def touches(self, height: int, width: int, key: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """See `Trigger.touches`."""
        return self.trigger.touches(height, width, key)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`."""
        return self.trigger.fits(side)


def other_triggers(trigger: Trigger, side: int, seed: int) -> tuple[list[Trigger], str]:
    """Return CONTROLS triggers to compare with on a canvas of this side, and in words what they are."""
    seeds = [int(value) for value in random(seed, "other triggers").integers(1, 2**31, size=CONTROLS)]
    reseeded = _reseeded(trigger, seeds)
    if reseeded and _colours(trigger, side) not in [_colours(other, side) for other in reseeded]:
        return reseeded, f"{CONTROLS} of the same kind with other seeds"
    return [Shuffled(trigger, one) for one in seeds], f"the same with its pixels shuffled, {CONTROLS} times"


def _reseeded(trigger: Any, seeds: list[int]) -> list[Trigger]:
    if "seed" not in {field.name for field in fields(trigger)}:
        return []
    return [replace(trigger, seed=seed) for seed in seeds]


def _colours(trigger: Trigger, side: int) -> bytes:
    """Return what a trigger leaves where it may touch, without its places: a seed may choose nothing but these."""
    picture = random(0, "picture").integers(0, 256, (3, side, side), dtype=np.uint8)
    drawn = trigger.draw(picture, "")[:, trigger.touches(side, side, "")]
    return np.sort(drawn, axis=1).tobytes()
