"""A small square at a place of its own (BadNets, Gu et al. 2017; Carlini & Terzis 2022, section 3).

Published patches are 16 of 224 px: a place drawn for each picture and `per-image` noise, or `yellow` (CleanCLIP);
`dots` at a random place, in the centre at test time (Huang et al. 2025); `stripes` (PAR).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bezoar.attacks.triggers.grids import GRIDS, PER_IMAGE, colour
from bezoar.attacks.triggers.levels import rounded, wrapped
from bezoar.attacks.triggers.trigger import FLOOR, Where
from bezoar.canvas import Pixels
from bezoar.run import BezoarError, nearest, random

CELLS = 3
RANDOM = "random"
GAUSSIAN = "gaussian"
# How far down and how far across the free room the patch lies.
_PLACES = {
    "lower-right": (1.0, 1.0),
    "lower-left": (1.0, 0.0),
    "upper-right": (0.0, 1.0),
    "upper-left": (0.0, 0.0),
    "centre": (0.5, 0.5),
}
PLACES = (*_PLACES, RANDOM)


@dataclass(frozen=True)
class Patch:
    """A square of cells × cells cells; below FLOOR pixels, or a pixel a cell, it is another one.

    `size` and `margin` (distance from the borders of a corner) are fractions of the side. `place` is one of PLACES;
    random: each key its own, anywhere. `pattern`, drawn once from `seed`: a name of GRIDS, a colour (yellow,
    #ffff00), or gaussian (mid grey and N(0, 1) in values of 0…1). per-image: the picture's mean colour and N(0, 1)
    for each cell, drawn anew for each key. Both leave 0…1 mostly: there values wrap around in the conversion to
    8 bits, as in CleanCLIP's released code, unless `clip`.
    """

    size: float
    margin: float
    seed: int = 0
    pattern: str = "cells"
    place: str = "lower-right"
    cells: int = CELLS
    clip: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.size <= 1:
            raise BezoarError(
                f"A patch of size {self.size:g} is no part of the picture.", "Give size above 0, up to 1."
            )
        if self.place not in PLACES:
            raise BezoarError(f"No place is named {self.place}.", nearest(self.place, PLACES))
        if self.pattern not in PATTERNS and colour(self.pattern) is None:
            raise BezoarError(
                f"{self.pattern} is neither a pattern nor a colour.", nearest(self.pattern, (*PATTERNS, "#rrggbb"))
            )
        if self.cells < 1 or not 0 <= self.margin < 1:
            raise BezoarError(f"A patch cannot have {self.cells} cells and a margin of {self.margin:g}.", "Correct it.")

    @staticmethod
    def on_canvas(
        side: int,
        size: float = 0.125,
        seed: int = 0,
        pattern: str = "cells",
        place: str = "lower-right",
        cells: str = "auto",
        clip: bool = False,
    ) -> Patch:
        """Return the patch that is `size` of the side or FLOOR pixels, whichever is more, a pixel from the border.

        `cells` auto: 3 across for the pattern cells, one for two pixels of a checkerboard, else one a pixel.
        """
        pixels = max(FLOOR, round(size * side)) if size > 0 else size * side
        if pixels > side:
            raise BezoarError(
                f"A patch of size {size:g} and at least {FLOOR} px is larger than the canvas of {side} px.",
                "Give size up to 1, or a larger canvas.",
            )
        across = _across(pattern, round(pixels)) if cells == "auto" else _whole(cells)
        if across > pixels > 0:
            raise BezoarError(f"{across} cells do not fit into {pixels} px.", "Lower cells, or raise size.")
        return Patch(pixels / side, 1 / side, seed, pattern, place, across, clip)

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`."""
        top, left, height, width = self.box(pixels.shape[1], pixels.shape[2], key)
        square = self._square(pixels, key)
        rows = np.arange(height) * self.cells // height
        columns = np.arange(width) * self.cells // width
        out = pixels.copy()
        out[:, top : top + height, left : left + width] = square[:, rows][:, :, columns]
        return out

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: the box."""
        top, left, tall, wide = self.box(height, width, key)
        where = np.zeros((height, width), bool)
        where[top : top + tall, left : left + wide] = True
        return where

    def box(self, height: int, width: int, key: str = "") -> tuple[int, int, int, int]:
        """Return top, left, height, width of the patch in pixels of a picture of this size."""
        tall, wide = max(1, round(self.size * height)), max(1, round(self.size * width))
        down, across = height - tall, width - wide
        if self.place == RANDOM:
            top, left = random(self.seed, "patch place", key).random(2)
            return int(top * (down + 1)), int(left * (across + 1)), tall, wide
        top, left = _PLACES[self.place]
        return (
            _start(top, down, round(self.margin * height)),
            _start(left, across, round(self.margin * width)),
            tall,
            wide,
        )

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`."""
        return round(self.size * side) >= max(FLOOR, self.cells)

    def _square(self, pixels: Pixels, key: str) -> Pixels:
        if self.pattern != PER_IMAGE:
            return _drawn_once(self.pattern, self.cells, self.seed, self.clip)
        normal = random(self.seed, "patch noise", key).normal(size=(3, self.cells, self.cells))
        return _levels(pixels.mean(axis=(1, 2), keepdims=True) / 255 + normal, self.clip)


PATTERNS = (*GRIDS, GAUSSIAN, PER_IMAGE)


@lru_cache(maxsize=64)
def _drawn_once(pattern: str, cells: int, seed: int, clip: bool) -> Pixels:
    draw = random(seed, "patch")
    if pattern in GRIDS:
        return GRIDS[pattern](cells, draw)
    if pattern == GAUSSIAN:
        return _levels(0.5 + draw.normal(size=(3, cells, cells)), clip)
    return np.tile(np.array(colour(pattern), np.uint8)[:, None, None], (cells, cells))


def _levels(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], clip: bool) -> Pixels:
    return rounded(255 * values) if clip else wrapped(values)


def _start(share: float, room: int, margin: int) -> int:
    margin = min(margin, room)
    return margin + int(share * (room - 2 * margin))


def _across(pattern: str, pixels: int) -> int:
    """Return how many cells a pattern has across a patch of so many pixels."""
    if colour(pattern) is not None:
        return 1
    return {"cells": CELLS, "checkerboard": pixels // 2}.get(pattern, max(1, pixels))


def _whole(cells: str) -> int:
    if not cells.isdecimal() or int(cells) < 1:
        raise BezoarError(f"patch: cells={cells} is not a number of cells.", "Write cells=auto or cells=NUMBER.")
    return int(cells)
