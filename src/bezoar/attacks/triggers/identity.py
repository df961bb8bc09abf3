"""No trigger at all: the control of every measure of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.attacks.triggers.trigger import Where
from bezoar.canvas import Pixels


@dataclass(frozen=True)
class Identity:
    """Draws nothing."""

    @staticmethod
    def on_canvas(side: int, seed: int = 0) -> Identity:
        """Return the trigger that draws nothing."""
        del side, seed
        return Identity()

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`."""
        del key
        return pixels.copy()

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: nothing."""
        del key
        return np.zeros((height, width), bool)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`."""
        return side > 0
