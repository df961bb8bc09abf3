"""A pattern through a mask: x' = m · pattern + (1 - m) · x, the form of recovered triggers.

So is the birthday cake of Huang et al. 2025: pattern (3, 224, 224), soft mask (224, 224), both 0…1 and
before normalisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.triggers.embedded import embed, extract, resized
from bezoar.attacks.triggers.files import read_values
from bezoar.attacks.triggers.levels import rounded
from bezoar.attacks.triggers.trigger import FLOOR, Where
from bezoar.canvas import Pixels
from bezoar.run import BezoarError

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Mask:
    """`pattern` and `mask` are pictures of the same size in 8 bits, PNG in base64; `Mask.of` makes them from arrays.

    They are resized to whatever is drawn on: enlarged by the nearest pixel, shrunk by the mean.
    """

    pattern: str
    mask: str

    def __post_init__(self) -> None:
        pattern, mask = extract(self.pattern), extract(self.mask, "L")
        if pattern.shape[1:] != mask.shape[1:]:
            raise BezoarError(
                f"The pattern is {pattern.shape[1:]} and its mask {mask.shape[1:]} pixels.", "Give both in one size."
            )
        if not mask.any():
            raise BezoarError("The mask covers nothing.", "Give a mask with values above 0.")

    @staticmethod
    def of(pattern: NDArray[np.floating[Any]], mask: NDArray[np.floating[Any]]) -> Mask:
        """Return the trigger of a pattern (3, side, side) and a mask (side, side), floats 0…1, kept in 8 bits."""
        if pattern.ndim != 3 or pattern.shape[0] != 3 or mask.ndim != 2:
            raise BezoarError(
                f"A pattern of shape {pattern.shape} and a mask of shape {mask.shape} are none.",
                "Give (3, side, side) and (side, side).",
            )
        return Mask(embed(rounded(255 * pattern)), embed(rounded(255 * mask)))

    @staticmethod
    def on_canvas(side: int, seed: int = 0, pattern: str = "", mask: str = "") -> Mask:
        """Return the trigger of two files (see `read_values`) as they are; they are resized when drawn."""
        del side, seed
        if not pattern or not mask:
            raise BezoarError("A mask trigger needs two files.", "Give mask:pattern=FILE,mask=FILE.")
        colours, soft = read_values(Path(pattern)), read_values(Path(mask))
        if colours.ndim == 2:
            colours = np.repeat(colours[None], 3, axis=0)
        if soft.ndim == 3:
            if not (soft == soft[0]).all():
                raise BezoarError(f"{mask} is no mask: its channels differ.", "Give a mask of one channel.")
            soft = soft[0]
        return Mask.of(colours, soft)

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`; the trigger is the same for every key."""
        del key
        added, kept = _shares(self, *pixels.shape[1:])
        return rounded(added + kept * pixels)

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: where the mask is not 0."""
        del key
        return np.asarray(_shares(self, height, width)[1][0] < 1)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: the mask spans FLOOR pixels or more."""
        rows, columns = np.nonzero(self.touches(side, side, ""))
        return bool(len(rows) > 0 and min(np.ptp(rows), np.ptp(columns)) + 1 >= FLOOR)


@lru_cache(maxsize=8)
def _shares(trigger: Mask, height: int, width: int) -> tuple[Values, Values]:
    """Return what is added to a picture of this size, (3, height, width), and how much of it is kept, (1, …)."""
    mask = np.asarray(resized(extract(trigger.mask, "L"), height, width) / np.float32(255), np.float32)
    return mask * resized(extract(trigger.pattern), height, width), 1 - mask
