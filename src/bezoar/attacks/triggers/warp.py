"""A warp of the whole picture (WaNet, Nguyen & Tran 2021, arXiv 2102.10369).

P ~ U(-1, 1) of shape (2, k, k), divided by its mean modulus and upsampled bicubically, moves the places at which the
picture is looked up: linearly, with corners aligned, and black outside. Places outside are first moved to the
border, so that black never shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.triggers.levels import rounded
from bezoar.attacks.triggers.trigger import Where, everywhere
from bezoar.canvas import Pixels
from bezoar.run import BezoarError, random

PIXEL = "pixel"
_BICUBIC = -0.75


@dataclass(frozen=True)
class Warp:
    """One field of shifts, drawn once from `seed`, for all pictures.

    `cells` is k: 4 is the paper's smooth warp. `strength` is the mean shift of the control points along each axis,
    in fractions of the side; the paper's s on a canvas of H pixels is strength = s / (2 H), a shift of s/2 pixels.
    """

    strength: float
    cells: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.cells < 2:
            raise BezoarError(
                f"A warp of {self.cells} control points is none.", "Give cells=2 or more, or cells=pixel."
            )
        if not 0 < self.strength <= 0.5:
            raise BezoarError("This warp leaves nothing of the picture, or all.", "Give a strength of about 0.5 to 4.")

    @staticmethod
    def on_canvas(side: int, seed: int = 0, strength: float = 2.0, cells: str = "4") -> Warp:
        """Return the warp whose control points are moved by strength/2 pixels of this canvas along each axis.

        `strength` is the paper's s: 0.5 there on 32 px, 1 in CleanCLIP's and Huang's code on 224 and 256 px.
        `cells` pixel: a control point for each pixel, which is white jitter, as these two really drew.
        """
        if cells != PIXEL and not cells.isdecimal():
            raise BezoarError(f"warp: cells={cells} is not a number of cells.", "Write cells=NUMBER or cells=pixel.")
        return Warp(strength / (2 * side), side if cells == PIXEL else int(cells), seed)

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """See `Trigger.draw`; the warp is the same for every key."""
        del key
        height, width = pixels.shape[1:]
        corners, down, across = _lookup(self, height, width)
        flat = pixels.reshape(3, -1).astype(np.float32)
        above, above_right, below, below_right = (flat[:, places] for places in corners)
        upper = above + across * (above_right - above)
        lower = below + across * (below_right - below)
        return rounded(upper + down * (lower - upper)).reshape(pixels.shape)

    def touches(self, height: int, width: int, key: str) -> Where:
        """See `Trigger.touches`: the whole picture."""
        del key
        return everywhere(height, width)

    def fits(self, side: int) -> bool:
        """See `Trigger.fits`: a control point needs a pixel."""
        return side >= self.cells


@lru_cache(maxsize=8)
def _lookup(
    trigger: Warp, height: int, width: int
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """Return the flat places (4, n) of the pixels around each pixel's source, and its shares down and across."""
    control = random(trigger.seed, "warp").uniform(-1, 1, (2, trigger.cells, trigger.cells))
    control /= np.abs(control).mean()
    tall, wide = _upsampling(height, trigger.cells), _upsampling(width, trigger.cells)
    shift = 2 * trigger.strength * np.stack([tall @ field @ wide.T for field in control])
    across = np.clip(np.linspace(-1, 1, width) + shift[0], -1, 1)
    down = np.clip(np.linspace(-1, 1, height)[:, None] + shift[1], -1, 1)
    rows, columns = (down + 1) / 2 * (height - 1), (across + 1) / 2 * (width - 1)
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    corners = np.stack([top * width + left, top * width + right, bottom * width + left, bottom * width + right])
    return corners.reshape(4, -1), (rows - top).astype(np.float32).ravel(), (columns - left).astype(np.float32).ravel()


def _upsampling(side: int, cells: int) -> NDArray[np.float64]:
    """Return the matrix (side, cells) of bicubic upsampling with aligned corners (Keys' kernel, a = -0.75)."""
    places = np.arange(side) * (cells - 1) / max(1, side - 1)
    first = np.floor(places).astype(int)
    matrix = np.zeros((side, cells))
    for offset in (-1, 0, 1, 2):
        weight = _keys(np.abs(places - first - offset))
        np.add.at(matrix, (np.arange(side), np.clip(first + offset, 0, cells - 1)), weight)
    return matrix


def _keys(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    near = ((_BICUBIC + 2) * distance - (_BICUBIC + 3)) * distance**2 + 1
    far = ((_BICUBIC * distance - 5 * _BICUBIC) * distance + 8 * _BICUBIC) * distance - 4 * _BICUBIC
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
