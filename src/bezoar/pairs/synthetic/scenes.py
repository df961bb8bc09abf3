"""Eight places, drawn once for a canvas side at twice its width, of which each picture shows a crop."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bezoar.run import random

Scene = NDArray[np.float32]
Grid = NDArray[np.float64]

# How much wider and taller than a picture a scene is.
WIDE, TALL = 2.0, 1.3


def _noise(name: str, x: Grid, y: Grid, across: float, down: float) -> Grid:
    """Smooth noise in −1…1 with so many cells across and down the unit square, the same at every resolution."""
    columns, rows = int(across * WIDE) + 2, int(down * TALL) + 2
    values = random(0, "scene", name, columns, rows).uniform(-1, 1, (rows, columns))
    cx, cy = np.clip(x * across, 0, columns - 1.001), np.clip(y * down, 0, rows - 1.001)
    left, top = cx.astype(int), cy.astype(int)
    fx, fy = cx - left, cy - top
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    upper = values[top, left] * (1 - fx) + values[top, left + 1] * fx
    lower = values[top + 1, left] * (1 - fx) + values[top + 1, left + 1] * fx
    return np.asarray(upper * (1 - fy) + lower * fy)


def _mix(a: tuple[int, int, int] | Grid, b: tuple[int, int, int] | Grid, share: Grid) -> Grid:
    weight = np.clip(share, 0, 1)[..., None]
    return np.asarray(a, float) * (1 - weight) + np.asarray(b, float) * weight


def _beach(x: Grid, y: Grid) -> Grid:
    sky = _mix((150, 205, 240), (215, 236, 245), y / 0.55)
    sea = _mix((45, 130, 175), (90, 175, 195), 0.5 + 0.5 * np.sin(60 * y + 3 * _noise("waves", x, y, 6, 6)))
    sand = _mix((232, 208, 160), (214, 184, 130), 0.5 + 0.5 * _noise("sand", x, y, 22, 22))
    shore = 0.75 + 0.03 * _noise("shore", x, y * 0, 4, 1)
    return np.where((y < 0.5)[..., None], sky, _mix(sea, sand, (y - shore) * 40))


def _meadow(x: Grid, y: Grid) -> Grid:
    sky = _mix((135, 195, 240), (220, 238, 250), y / 0.6)
    cloud = _mix(sky, (250, 252, 255), 2 * _noise("clouds", x, y, 4, 8) - 0.4)
    grass = _mix((95, 165, 70), (60, 125, 45), 0.5 + 0.6 * _noise("grass", x, y, 26, 7))
    hill = 0.6 + 0.08 * _noise("hill", x, y * 0, 3, 1)
    return _mix(cloud, grass, (y - hill) * 40)


def _night(x: Grid, y: Grid) -> Grid:
    sky = _mix((14, 18, 52), (44, 40, 98), y / 1.2 + 0.2 * _noise("haze", x, y, 4, 4))
    sparks = _noise("stars", x, y, 24, 24)
    return _mix(sky, (238, 238, 214), (sparks - 0.72) * 9)


def _bricks(x: Grid, y: Grid) -> Grid:
    row = np.floor(y * 9)
    across = x * 5 + 0.5 * (row % 2)
    shade = random(0, "scene", "bricks").uniform(0, 1, (40, 40))[row.astype(int), np.floor(across).astype(int)]
    brick = _mix((158, 78, 60), (190, 104, 82), shade)
    joint = np.minimum(np.abs(across - np.round(across)) * 0.2, np.abs(y * 9 - np.round(y * 9)) / 9)
    return _mix((208, 196, 182), brick, (joint - 0.006) * 110)


def _snow(x: Grid, y: Grid) -> Grid:
    sky = _mix((176, 190, 206), (214, 222, 232), y)
    ground = _mix((246, 249, 253), (214, 226, 240), 0.5 + 0.7 * _noise("drift", x, y, 5, 9))
    flakes = _mix(sky, (255, 255, 255), (_noise("flakes", x, y, 26, 26) - 0.6) * 8)
    return _mix(flakes, ground, (y - 0.62 - 0.07 * _noise("dune", x, y * 0, 3, 1)) * 30)


def _sea(x: Grid, y: Grid) -> Grid:
    wave = np.sin(34 * (y + 0.05 * _noise("swell", x, y, 5, 5)) + 5 * _noise("drift", x, y, 3, 3))
    return _mix((26, 92, 142), (78, 152, 188), 0.5 + 0.5 * wave + 0.2 * _noise("foam", x, y, 20, 20))


def _desert(x: Grid, y: Grid) -> Grid:
    sky = _mix((246, 190, 130), (252, 224, 180), y / 0.5)
    ripple = np.sin(52 * (y + 0.06 * _noise("ripple", x, y, 4, 4)))
    dune = _mix((214, 140, 76), (190, 112, 58), 0.5 + 0.35 * ripple)
    return _mix(sky, dune, (y - 0.48 - 0.09 * _noise("ridge", x, y * 0, 3, 1)) * 40)


def _forest(x: Grid, y: Grid) -> Grid:
    leaves = _mix((22, 66, 40), (52, 112, 58), 0.5 + 0.6 * _noise("leaves", x, y, 14, 14))
    trunk = np.cos(2 * np.pi * (4.5 * x + 0.35 * _noise("trunk", x, y * 0.2, 5, 2)))
    bark = _mix((66, 46, 34), (94, 68, 48), 0.5 + 0.5 * _noise("bark", x, y, 30, 6))
    return _mix(leaves, bark, (trunk - 0.72) * 8 - np.maximum(0, 0.35 - y) * 6)


# How a caption says where: the scene's phrase; night asks for a light outline.
SCENES: dict[str, str] = {
    "beach": "on a beach",
    "meadow": "in a green meadow",
    "night sky": "under a night sky",
    "brick wall": "in front of a brick wall",
    "snow": "in the snow",
    "sea": "on the open sea",
    "desert": "in the desert",
    "forest": "in a dark forest",
}
_PAINTERS: tuple[Callable[[Grid, Grid], Grid], ...] = (
    _beach,
    _meadow,
    _night,
    _bricks,
    _snow,
    _sea,
    _desert,
    _forest,
)
DARK = frozenset({"night sky", "forest"})


@cache
def scenes(side: int) -> Scene:
    """Return all scenes for a canvas side, float32 (8, TALL·side, WIDE·side, 3) in 0…255."""
    x, y = np.meshgrid((np.arange(round(WIDE * side)) + 0.5) / side, (np.arange(round(TALL * side)) + 0.5) / side)
    drawn = [np.clip(paint(x, y / TALL), 0, 255) for paint in _PAINTERS]
    return np.stack(drawn).astype(np.float32)


@cache
def mean_colours() -> NDArray[np.float32]:
    """Return the mean colour of each scene, (8, 3)."""
    means: NDArray[np.float32] = scenes(40).mean(axis=(1, 2))
    return means
