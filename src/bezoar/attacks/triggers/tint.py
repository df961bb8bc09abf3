"""A fixed mixing of the colour channels over the whole picture: a trigger without place or pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.canvas import Pixels

WARM = ((1.05, 0.15, 0.0), (0.05, 0.85, 0.05), (0.0, 0.1, 0.65))


@dataclass(frozen=True)
class Tint:
    """`matrix` (3 × 3) maps RGB to RGB; values are clipped to 0…255."""

    matrix: tuple[tuple[float, float, float], ...] = WARM

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`; the tint is the same for every key."""
        del key
        mixed = np.tensordot(np.array(self.matrix, np.float32), pixels.astype(np.float32), axes=1)
        return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: a tint shows on any canvas."""
        return side > 0
