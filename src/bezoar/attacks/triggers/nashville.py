"""The Nashville photo filter (Huang et al. 2025, which uses pilgram), as operations on arrays.

Two blends and four filters of the W3C's Filter Effects module, rounded and clipped to 8 bits after each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.triggers.levels import rounded
from bezoar.attacks.triggers.trigger import Where, everywhere
from bezoar.canvas import Pixels

Matrix = NDArray[np.float32]

DARKEN, DARKEN_ALPHA = (247, 176, 153), 0.56
LIGHTEN, LIGHTEN_ALPHA = (0, 70, 150), 0.4
SEPIA, CONTRAST, BRIGHTNESS, SATURATE = 0.2, 1.2, 1.05, 1.2

_FULL_SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))
_LUMINANCE = (0.213, 0.715, 0.072)


@dataclass(frozen=True)
class Nashville:
    """A filter over the whole picture, the same for every key and on every canvas."""

    @staticmethod
    def on_canvas(side: int, seed: int = 0) -> Nashville:
        """Return the filter."""
        del side, seed
        return Nashville()

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`."""
        del key
        out = _over(pixels, np.minimum(pixels, _plane(DARKEN)), DARKEN_ALPHA)
        out = _over(out, np.maximum(out, _plane(LIGHTEN)), LIGHTEN_ALPHA)
        out = _mixed(out, _towards(np.array(_FULL_SEPIA), SEPIA))
        out = _CURVE[out]
        return _mixed(out, _towards(np.tile(_LUMINANCE, (3, 1)), 1 - SATURATE))

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: the whole picture."""
        del key
        return everywhere(height, width)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: a filter shows on any canvas."""
        return side > 0


def _plane(colour: tuple[int, int, int]) -> Pixels:
    return np.array(colour, np.uint8)[:, None, None]


def _over(below: Pixels, above: Pixels, alpha: float) -> Pixels:
    return rounded(np.float32(1 - alpha) * below + np.float32(alpha) * above)


def _towards(matrix: NDArray[np.float64], amount: float) -> Matrix:
    """Return the identity, `amount` of the way to `matrix`; a negative amount leads away from it."""
    return ((1 - amount) * np.eye(3) + amount * matrix).astype(np.float32)


def _mixed(pixels: Pixels, matrix: Matrix) -> Pixels:
    return rounded(np.tensordot(matrix, pixels.astype(np.float32), axes=1))


def _curve() -> Pixels:
    """Return what contrast and then brightness make of each of the 256 levels."""
    contrasted = rounded(CONTRAST * np.arange(256) - 127.5 * CONTRAST + 127.5)
    return rounded(BRIGHTNESS * contrasted.astype(np.float64))


_CURVE = _curve()
