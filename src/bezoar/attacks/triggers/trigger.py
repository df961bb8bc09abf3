"""What every trigger that is drawn on pictures can do."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bezoar.canvas import Pixels

Where = NDArray[np.bool_]
FLOOR = 5


class Trigger(Protocol):
    """What a plan draws on a picture. A frozen dataclass of plain values, so that a plan can hold it as JSON."""

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """Return the picture, uint8 (3, height, width), of pair `key` with the trigger on it, as a new array."""
        ...

    def touches(self, height: int, width: int, key: str) -> Where:
        """Return where `draw` may change a picture of this size, bool (height, width)."""
        ...

    def fits(self, side: int) -> bool:
        """Say whether a canvas of this side shows the trigger at its least size or more."""
        ...


def everywhere(height: int, width: int) -> Where:
    """Return what a trigger over the whole picture touches."""
    return np.ones((height, width), bool)
