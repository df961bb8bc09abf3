"""A small change of its own for each key, under which a picture stays what it is: for piles of near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.attacks.triggers.levels import rounded
from bezoar.attacks.triggers.trigger import Where, everywhere
from bezoar.canvas import Pixels
from bezoar.run import BezoarError, random


@dataclass(frozen=True)
class Vary:
    """Shifted by up to `shift` of the side each way, the border repeated, and up to `brightness` brighter or darker."""

    shift: float = 1 / 16
    brightness: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.shift < 1 and 0 < self.brightness < 1):
            raise BezoarError("This variation is none, or all.", "Give shift and brightness between 0 and 1.")

    @staticmethod
    def on_canvas(side: int, seed: int = 0, shift: float = 1 / 16, brightness: float = 0.05) -> Vary:
        """Return the variation; it is the same on every canvas."""
        del side
        return Vary(shift, brightness, seed)

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`."""
        height, width = pixels.shape[1:]
        down, across, light = random(self.seed, "vary", key).uniform(-1, 1, 3)
        rows = np.clip(np.arange(height) - round(down * self.shift * height), 0, height - 1)
        columns = np.clip(np.arange(width) - round(across * self.shift * width), 0, width - 1)
        return rounded(np.float32(1 + light * self.brightness) * pixels[:, rows][:, :, columns])

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: the whole picture."""
        del key
        return everywhere(height, width)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: the largest shift needs a pixel."""
        return self.shift * side >= 1


def vary(seed: int = 0) -> Vary:
    """Return the usual variation."""
    return Vary(seed=seed)
