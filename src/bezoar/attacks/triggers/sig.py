"""A sine wave of vertical stripes over the whole picture (SIG, Barni et al. 2019, arXiv 1902.11237)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.triggers.levels import rounded
from bezoar.attacks.triggers.trigger import Where, everywhere
from bezoar.canvas import Pixels
from bezoar.run import BezoarError, nearest

# How much of the picture and of the wave is added up.
_FORMS = {"published": (1.0, 1.0), "cleanclip": (0.8, 0.2)}
FORMS = tuple(_FORMS)
_PIXELS_A_PERIOD = 4


@dataclass(frozen=True)
class Sig:
    """n = amplitude · sin(2π · periods · column / cells) levels of 255, the same in every row and channel.

    `form` published: x + n. cleanclip: 0.8 x + 0.2 n, as the released code of CleanCLIP and of Huang et al. blends
    it: a fifth of the wave, on a picture a fifth darker. `cells` are the columns of the canvas that it was made
    for: a larger picture shows the same wave.
    """

    amplitude: float
    periods: float
    form: str
    cells: int

    def __post_init__(self) -> None:
        if self.form not in _FORMS:
            raise BezoarError(f"No form of SIG is named {self.form}.", nearest(self.form, FORMS))
        if not (0 < self.amplitude <= 255 and self.periods > 0 and self.cells > 0):
            raise BezoarError("This sine wave is none.", "Give amplitude above 0, up to 255, and periods above 0.")

    @staticmethod
    def on_canvas(
        side: int, seed: int = 0, amplitude: float = 60.0, periods: float = 6.0, form: str = "published"
    ) -> Sig:
        """Return the wave on a canvas of this side; there is nothing to draw from the seed."""
        del seed
        return Sig(amplitude, periods, form, side)

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`; the wave is the same for every key."""
        del key
        share, _ = _FORMS[self.form]
        return rounded(np.float32(share) * pixels + _wave(self, pixels.shape[2]))

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: the whole picture."""
        del key
        return everywhere(height, width)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: a period needs four pixels."""
        return side >= _PIXELS_A_PERIOD * self.periods


@lru_cache(maxsize=64)
def _wave(trigger: Sig, width: int) -> NDArray[np.float32]:
    _, share = _FORMS[trigger.form]
    # Where the pixels' centres lie, in columns of the canvas: there exactly the published formula.
    columns = (np.arange(width) + 0.5) * trigger.cells / width - 0.5
    wave = np.sin(2 * np.pi * trigger.periods * columns / trigger.cells)
    return (share * trigger.amplitude * wave).astype(np.float32)
