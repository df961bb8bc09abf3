"""A fixed mixing of the colour channels over the whole picture: a trigger without place or pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.attacks.triggers.levels import rounded
from bezoar.attacks.triggers.trigger import Where, everywhere
from bezoar.canvas import Pixels

WARM = ((1.05, 0.15, 0.0), (0.05, 0.85, 0.05), (0.0, 0.1, 0.65))


@dataclass(frozen=True)
class Tint:
    """`matrix` (3 × 3) maps RGB to RGB; values are clipped to 0…255."""

    matrix: tuple[tuple[float, float, float], ...] = WARM

    @staticmethod
    def on_canvas(side: int, seed: int = 0) -> Tint:
        """Return the warm tint; it is the same on every canvas and for every seed."""
        del side, seed
        return Tint()

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`; the tint is the same for every key."""
        del key
        return rounded(np.tensordot(np.array(self.matrix, np.float32), pixels.astype(np.float32), axes=1))

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: the whole picture."""
        del key
        return everywhere(height, width)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: a tint shows on any canvas."""
        return side > 0
