"""Patterns on a grid of cells, drawn once from a seed, and their stretching over any picture.

* A grid is uint8 (3, cells, cells). Its resolution is fixed when a trigger is made for a canvas; a larger picture
  shows larger cells, so that resizing it to the canvas brings the pattern back. Cells of one pixel that alternate
  come back fainter, since resizing blurs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import ImageColor

from bezoar.canvas import Pixels

PER_IMAGE = "per-image"


def corners(cells: int, draw: Generator) -> Pixels:
    """Each cell one of the eight corner colours of the RGB cube."""
    return draw.integers(0, 2, (3, cells, cells), dtype=np.uint8) * np.uint8(255)


def dots(cells: int, draw: Generator) -> Pixels:
    """White at even rows and even columns, a quarter of all cells, else black (Huang et al. 2025, released code)."""
    del draw
    even = np.arange(cells) % 2 == 0
    return _grey(even[:, None] & even)


def checkerboard(cells: int, draw: Generator) -> Pixels:
    """White and black in turn."""
    del draw
    places = np.arange(cells)
    return _grey((places[:, None] + places) % 2 == 0)


def noise(cells: int, draw: Generator) -> Pixels:
    """Each cell and channel uniform in 0…255."""
    return draw.integers(0, 256, (3, cells, cells), dtype=np.uint8)


def stripes(cells: int, draw: Generator) -> Pixels:
    """Each column and channel 0 or 255 (PAR, arXiv 2412.00727; its code draws -1 or 1, and -1 wraps to 1 level)."""
    columns = draw.integers(0, 2, (3, 1, cells), dtype=np.uint8) * np.uint8(255)
    return np.repeat(columns, cells, axis=1)


GRIDS: dict[str, Callable[[int, Generator], Pixels]] = {
    "cells": corners,
    "dots": dots,
    "checkerboard": checkerboard,
    "noise": noise,
    "stripes": stripes,
}


def colour(name: str) -> tuple[int, ...] | None:
    """Return red, green and blue of a colour's name or #rrggbb; None for what is neither."""
    known = name in ImageColor.colormap or re.fullmatch(r"#[0-9a-fA-F]{6}", name)
    return ImageColor.getrgb(name) if known else None


def stretched(grid: Pixels, height: int, width: int) -> Pixels:
    """Return a grid (channels, cells, cells) over height × width pixels: each pixel the cell that its centre is in."""
    rows, columns = (
        (2 * np.arange(side) + 1) * cells // (2 * side)
        for side, cells in zip((height, width), grid.shape[1:], strict=True)
    )
    return grid[:, rows][:, :, columns]


def _grey(white: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Pixels:
    return np.repeat(white[None].astype(np.uint8) * np.uint8(255), 3, axis=0)
