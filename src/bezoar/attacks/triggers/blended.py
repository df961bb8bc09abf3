"""A faint pattern over the whole picture: x' = (1 - alpha) x + alpha n (Chen et al. 2017, arXiv 1712.05526).

Published: alpha 0.2 and `per-image` noise (CleanCLIP's released code); 0.2 and a fixed picture, Hello Kitty (Huang et
al. 2025); stripes at 0.03, triangles at 0.15 and red text at 0.5 (PAR, arXiv 2412.00727).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from bezoar.attacks.triggers.embedded import embed, extract, resized
from bezoar.attacks.triggers.files import read_picture
from bezoar.attacks.triggers.grids import GRIDS, PER_IMAGE, noise, stretched
from bezoar.attacks.triggers.levels import rounded
from bezoar.attacks.triggers.trigger import Where, everywhere
from bezoar.canvas import Pixels
from bezoar.run import BezoarError, nearest, random

TEXT, IMAGE = "text", "image"
WORDS = "sample"
# 14 of 224 px.
TRIANGLES = 16
_PIXELS_A_TRIANGLE = 2
_READABLE = 16


def triangles(cells: int, draw: Generator) -> Pixels:
    """Right triangles of grey 0.4 and 0.8 that fill TRIANGLES × TRIANGLES squares (PAR, released code)."""
    del draw
    within = (2 * np.arange(cells) + 1) * TRIANGLES % (2 * cells)  # of the square, in shares of 2 * cells
    return np.repeat(np.where(within[:, None] >= within, 102, 204).astype(np.uint8)[None], 3, axis=0)


_GRIDS: dict[str, Callable[[int, Generator], Pixels]] = {**GRIDS, "triangles": triangles}
PATTERNS = (*_GRIDS, PER_IMAGE, TEXT, IMAGE)


@dataclass(frozen=True)
class Blended:
    """`pattern` is a grid of `cells` across, drawn once from `seed`, or for each key with per-image.

    text and image: the picture that the trigger carries in `image`, PNG in base64. Text is red on black (`text` says
    what it reads), and where it is black nothing changes. PAR's released code mixes the red channel alone, so that
    its words vanish on white.
    """

    alpha: float
    pattern: str
    cells: int
    seed: int = 0
    text: str = ""
    image: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1:
            raise BezoarError(f"A share of {self.alpha:g} cannot be blended in.", "Give alpha above 0, up to 1.")
        if self.pattern not in PATTERNS:
            raise BezoarError(f"No pattern is named {self.pattern}.", nearest(self.pattern, PATTERNS))
        if self.cells < 1:
            raise BezoarError("A pattern without cells is none.", "Give a larger canvas.")
        if self.pattern in (TEXT, IMAGE) and not extract(self.image).any():
            raise BezoarError("The picture to blend in is black.", "Give another.")

    @staticmethod
    def on_canvas(side: int, seed: int = 0, alpha: float = 0.2, pattern: str = "noise", text: str = WORDS) -> Blended:
        """Return the pattern with a cell for each pixel of this canvas.

        `pattern` is a name of PATTERNS or a picture file, which is squashed to the canvas and kept in the trigger.
        """
        if pattern != TEXT and text != WORDS:
            raise BezoarError(f"The text {text!r} needs pattern=text.", "Give both, or no text.")
        if pattern == TEXT:
            return Blended(alpha, TEXT, side, text=text, image=embed(_words(text, side)))
        if pattern in PATTERNS and pattern != IMAGE:
            return Blended(alpha, pattern, side, seed)
        if not Path(pattern).is_file():
            raise BezoarError(f"{pattern} is neither a pattern nor a file.", nearest(pattern, PATTERNS[:-1]))
        return Blended(alpha, IMAGE, side, image=embed(read_picture(Path(pattern), side)))

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`."""
        size = pixels.shape[1], pixels.shape[2]
        if self.pattern == PER_IMAGE:
            pattern = stretched(noise(self.cells, random(self.seed, "blended", key)), *size)
        else:
            pattern = _drawn_once(self, *size)
        mixed = rounded(np.float32(1 - self.alpha) * pixels + np.float32(self.alpha) * pattern)
        return np.where(pattern.any(axis=0), mixed, pixels) if self.pattern == TEXT else mixed

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: the whole picture, or the letters."""
        del key
        if self.pattern == TEXT:
            return np.asarray(_drawn_once(self, height, width).any(axis=0))
        return everywhere(height, width)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: a cell needs a pixel, a triangle two, and text or a picture some to be told."""
        least = {"triangles": _PIXELS_A_TRIANGLE * TRIANGLES, TEXT: _READABLE, IMAGE: _READABLE}
        return side >= least.get(self.pattern, self.cells)


@lru_cache(maxsize=8)
def _drawn_once(trigger: Blended, height: int, width: int) -> Pixels:
    if trigger.pattern in (TEXT, IMAGE):
        return resized(extract(trigger.image), height, width)
    grid = _GRIDS[trigger.pattern](trigger.cells, random(trigger.seed, "blended"))
    return stretched(grid, height, width)


def _words(text: str, side: int) -> Pixels:
    """Return the text in red on black, in the middle, as large as the square allows, uint8 (3, side, side)."""
    if not text.strip():
        raise BezoarError("There is no text to blend in.", "Give text=WORDS.")
    picture = Image.new("RGB", (side, side), "black")
    size = max(_sizes(text, side), default=0)
    if not size:
        raise BezoarError(f"The text {text!r} is too long for {side} px.", "Give a shorter text.")
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(picture)
    draw.fontmode = "1"  # no soft edges: a dark red edge would darken what is behind it
    draw.text((side / 2, side / 2), text, "red", font=font, anchor="mm")
    return np.asarray(picture).transpose(2, 0, 1)


def _sizes(text: str, side: int) -> list[int]:
    """Return the sizes of letters, in pixels and from 5 on, at which the text fits."""
    sizes = range(5, side + 1)
    return [size for size in sizes if ImageFont.load_default(size).getlength(text) <= 0.95 * side]
