"""A small square of fixed colours at a fixed place (BadNets, Gu et al. 2017; Carlini & Terzis 2021, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.canvas import Pixels
from bezoar.run import random

CELLS = 3
FLOOR = 5


@dataclass(frozen=True)
class Patch:
    """A square of CELLS × CELLS cells, each one of the eight corner colours of the RGB cube, drawn once.

    `size` and `margin` (distance from the right and lower border) are fractions of the side, `seed` fixes the
    colours. Below FLOOR pixels the cells run together and the patch is another one.
    """

    size: float
    margin: float
    seed: int = 0

    @staticmethod
    def on_canvas(side: int, size: float = 0.125, seed: int = 0) -> Patch:
        """Return the patch that is `size` of the side or FLOOR pixels, whichever is more, a pixel from the border."""
        return Patch(size=max(FLOOR, round(size * side)) / side, margin=1 / side, seed=seed)

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`; the patch is the same for every key."""
        del key
        top, left, height, width = self.box(*pixels.shape[1:])
        cells = random(self.seed, "patch").integers(0, 2, (3, CELLS, CELLS), dtype=np.uint8) * np.uint8(255)
        rows = np.arange(height) * CELLS // height
        columns = np.arange(width) * CELLS // width
        out = pixels.copy()
        out[:, top : top + height, left : left + width] = cells[:, rows][:, :, columns]
        return out

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return top, left, height, width of the patch in pixels of a picture of this size."""
        tall, wide = max(1, round(self.size * height)), max(1, round(self.size * width))
        return (
            height - tall - round(self.margin * height),
            width - wide - round(self.margin * width),
            tall,
            wide,
        )

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`."""
        return round(self.size * side) >= FLOOR
