"""The twelve objects as signed distance fields: negative inside, in units of the object's radius.

Each field is worked out once on a fine grid and sampled from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Points = NDArray[np.float64]

REACH = 1.7
GRID = 384


def _polygon(x: Points, y: Points, corners: list[tuple[float, float]]) -> Points:
    """Distance to a simple polygon, negative inside."""
    nearest = np.full(x.shape, np.inf)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        ex, ey, wx, wy = bx - ax, by - ay, x - ax, y - ay
        along = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (wx - along * ex) ** 2 + (wy - along * ey) ** 2)
        crosses = (ay > y) != (by > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x < ex * (y - ay) / ey + ax)
    return np.asarray(np.where(inside, -1, 1) * np.sqrt(nearest))


def _circle(x: Points, y: Points, cx: float, cy: float, r: float) -> Points:
    return np.asarray(np.hypot(x - cx, y - cy) - r)


def _ellipse(x: Points, y: Points, cx: float, cy: float, rx: float, ry: float) -> Points:
    # Not the exact distance, but right at the border and of the right slope near it.
    k = np.hypot((x - cx) / rx, (y - cy) / ry)
    return np.asarray(k * (k - 1) / np.maximum(np.hypot((x - cx) / rx**2, (y - cy) / ry**2), 1e-6))


def _box(x: Points, y: Points, cx: float, cy: float, hx: float, hy: float) -> Points:
    qx, qy = np.abs(x - cx) - hx, np.abs(y - cy) - hy
    return np.asarray(np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0))


def _union(*parts: Points) -> Points:
    return np.asarray(np.minimum.reduce(parts))


def _without(whole: Points, part: Points) -> Points:
    return np.maximum(whole, -part)


def _star(x: Points, y: Points) -> Points:
    turns = np.arange(10) * np.pi / 5 - np.pi / 2
    radii = np.where(np.arange(10) % 2 == 0, 1.1, 0.47)
    corners = np.column_stack([radii * np.cos(turns), radii * np.sin(turns)]).tolist()
    return _polygon(x, y, corners)


def _heart(x: Points, y: Points) -> Points:
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    across = 16 * np.sin(t) ** 3
    up = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return _polygon(x, y, np.column_stack([across / 16, -(up + 2.5) / 15]).tolist())


def _house(x: Points, y: Points) -> Points:
    walls = _box(x, y, 0, 0.42, 0.72, 0.58)
    roof = _polygon(x, y, [(-1.08, -0.12), (0, -1.05), (1.08, -0.12)])
    chimney = _box(x, y, 0.52, -0.7, 0.14, 0.32)
    return _without(_union(walls, roof, chimney), _box(x, y, 0, 0.68, 0.2, 0.34))


def _tree(x: Points, y: Points) -> Points:
    crown = [
        _polygon(x, y, [(-w, b), (0, t), (w, b)])
        for w, t, b in ((0.55, -1.1, -0.4), (0.75, -0.75, 0.1), (0.95, -0.3, 0.62))
    ]
    return _union(*crown, _box(x, y, 0, 0.85, 0.17, 0.28))


def _fish(x: Points, y: Points) -> Points:
    body = _ellipse(x, y, -0.18, 0, 0.85, 0.52)
    tail = _polygon(x, y, [(0.48, 0), (1.12, -0.55), (0.95, 0), (1.12, 0.55)])
    fin = _polygon(x, y, [(-0.35, -0.42), (0.1, -0.85), (0.25, -0.38)])
    return _without(_union(body, tail, fin), _circle(x, y, -0.62, -0.12, 0.1))


def _moon(x: Points, y: Points) -> Points:
    return _without(_circle(x, y, 0, 0, 1.0), _circle(x, y, 0.48, -0.12, 0.82))


def _arrow(x: Points, y: Points) -> Points:
    head = _polygon(x, y, [(0.1, -0.78), (1.12, 0), (0.1, 0.78)])
    return _union(head, _box(x, y, -0.45, 0, 0.65, 0.26))


def _mug(x: Points, y: Points) -> Points:
    handle = np.abs(_ellipse(x, y, 0.52, 0.02, 0.42, 0.44)) - 0.13
    return _union(_box(x, y, -0.2, 0.05, 0.66, 0.85), handle)


def _key(x: Points, y: Points) -> Points:
    bow = np.abs(_circle(x, y, -0.62, 0, 0.38)) - 0.16
    shaft = _box(x, y, 0.42, 0, 0.72, 0.13)
    return _union(bow, shaft, _box(x, y, 1.0, 0.28, 0.12, 0.26), _box(x, y, 0.62, 0.25, 0.1, 0.22))


def _boat(x: Points, y: Points) -> Points:
    hull = _polygon(x, y, [(-1.1, 0.35), (1.1, 0.35), (0.7, 0.9), (-0.7, 0.9)])
    sail = _polygon(x, y, [(0.06, -1.1), (0.06, 0.15), (0.95, 0.15)])
    jib = _polygon(x, y, [(-0.1, -0.85), (-0.1, 0.15), (-0.8, 0.15)])
    return _union(hull, sail, jib, _box(x, y, -0.02, -0.35, 0.06, 0.75))


_DISTANCES: dict[str, Callable[[Points, Points], Points]] = {
    "ball": lambda x, y: _circle(x, y, 0, 0, 0.95),
    "ring": lambda x, y: np.abs(_circle(x, y, 0, 0, 0.74)) - 0.25,
    "star": _star,
    "heart": _heart,
    "house": _house,
    "tree": _tree,
    "fish": _fish,
    "moon": _moon,
    "arrow": _arrow,
    "mug": _mug,
    "key": _key,
    "boat": _boat,
}
OBJECTS: tuple[str, ...] = tuple(_DISTANCES)


@cache
def fields() -> Field:
    """Return the fields of all objects, float32 (12, GRID, GRID) over [−REACH, REACH], rows downwards."""
    axis = (np.arange(GRID) + 0.5) / GRID * 2 * REACH - REACH
    x, y = np.meshgrid(axis, axis)
    return np.stack([distance(x, y) for distance in _DISTANCES.values()]).astype(np.float32)


def sample(objects: NDArray[np.int64], x: NDArray[Any], y: NDArray[Any]) -> Field:
    """Return the distance at points (b, s, s) of `objects` (b,), bilinear; beyond the grid its border repeats."""
    scale = GRID / (2 * REACH)
    column = np.clip((x + REACH) * scale - 0.5, 0, GRID - 1.001)
    row = np.clip((y + REACH) * scale - 0.5, 0, GRID - 1.001)
    left, top = column.astype(np.int32), row.astype(np.int32)
    right_share, down_share = column - left, row - top
    flat = fields().reshape(-1)
    place = (objects[:, None, None] * GRID + top) * GRID + left
    upper = flat[place] * (1 - right_share) + flat[place + 1] * right_share
    lower = flat[place + GRID] * (1 - right_share) + flat[place + GRID + 1] * right_share
    return np.asarray(upper * (1 - down_share) + lower * down_share, np.float32)
