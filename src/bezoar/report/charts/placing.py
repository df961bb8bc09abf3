"""Where the labels of a chart go: beside their line, off the other lines, off one another.

Greedy: each label tries a few places around a few points and takes the one that covers least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_CHARACTER = 6.3
_LINE = 15.0
_NEAR = [(dx, dy) for dy in (16, -8, 24, -16) for dx in (8, -8)]
_STEP = 9.0
_TAKEN = 10.0
_OUTSIDE = 20.0


@dataclass(frozen=True)
class Place:
    """The baseline start of a label's first line, and the point of its box where a leader line ends."""

    x: float
    y: float
    anchor_x: float
    anchor_y: float


class Placing:
    """Keeps what is drawn already as weighted points, and finds room for the next label."""

    def __init__(self, frame: tuple[float, float, float, float]) -> None:
        self._frame = frame
        # Columns: x, y, weight, and the name of the line as a number (-1: no line).
        self._points = np.zeros((0, 4))
        self._owners: dict[str, int] = {}

    def avoid(self, x: Floats, y: Floats, weight: float = 1.0, owner: str = "") -> None:
        """Count the line through (x, y) as covered, about a point every 4 px; `owner` names the line."""
        number = self._owners.setdefault(owner, len(self._owners)) if owner else -1
        # One point a cell of 4 px: a line of many small steps must not weigh more than a straight one.
        points = np.unique(np.round(_along(x, y) / 4), axis=0) * 4
        self._add(points, weight, number)

    def beside(self, owner: str, lines: Sequence[str], points: Sequence[tuple[float, float]]) -> Place:
        """Return the best place for a label next to its own line, where no other line is near; take it."""
        width, height = _size(lines)
        x, y, weight, number = self._points.T
        other = (number >= 0) & (number != self._owners[owner])
        best, least = (0.0, 0.0), np.inf
        for px, py in points:
            confused = weight[other & (np.hypot(x - px, y - py) < 14)].sum()
            for dx, dy in _NEAR:
                left, top = _corner(px, py, dx, dy, width, height)
                cost = self._covered(left, top, width, height) + 2 * confused
                if cost < least:
                    best, least = (left, top), cost
        return self._take(best, width, height, points[0])

    def around(self, lines: Sequence[str], point: tuple[float, float]) -> Place:
        """Return the best place for a label at some distance of a point, its leader line clear; take both."""
        width, height = _size(lines)
        x0, y0, x1, y1 = self._frame
        best, least = (x0, y0), np.inf
        for top in np.arange(y0 + 4, y1 - height - 4, _STEP):
            for left in np.arange(x0 + 4, x1 - width, _STEP):
                leader = _leader((left, top), width, height, point)
                length = float(np.hypot(*np.diff(leader)[:, 0]))
                # Room for the leader line to be seen, and no longer than it has to be.
                cost = self._covered(left, top, width, height) + 0.08 * length + (10 if length < 18 else 0)
                if cost < least and (cost := cost + self._crossed(leader)) < least:
                    best, least = (float(left), float(top)), cost
        self._add(_along(*_leader(best, width, height, point)), _TAKEN, -1)
        return self._take(best, width, height, point)

    def take(self, lines: Sequence[str], left: float, baseline: float) -> None:
        """Count a text that stands at a fixed place as covered."""
        self._take((left, baseline - 12), *_size(lines), (left, baseline))

    def _covered(self, left: float, top: float, width: float, height: float) -> float:
        x0, y0, x1, y1 = self._frame
        across = max(x0 + 2 - left, 0) + max(left + width - x1, 0)
        down = max(y0 - top, 0) + max(top + height + 4 - y1, 0)
        x, y, weight, _ = self._points.T
        inside = (x > left - 4) & (x < left + width + 4) & (y > top - 3) & (y < top + height + 3)
        return float(weight[inside].sum() + _OUTSIDE * (across + down))

    def _crossed(self, leader: tuple[Floats, Floats]) -> float:
        # Only what was placed before counts: a leader line may cross a curve, but no label and no leader.
        x, y, weight, number = self._points.T
        placed = (number < 0) & (weight == _TAKEN)
        # The first steps lie under the mark itself.
        steps = _along(*leader)[2:, :, None]
        near = np.hypot(x[placed] - steps[:, 0], y[placed] - steps[:, 1]) < 5
        return float(near.any(axis=1).sum() * _TAKEN)

    def _take(self, corner: tuple[float, float], width: float, height: float, point: tuple[float, float]) -> Place:
        left, top = corner
        x, y = np.meshgrid(np.arange(left, left + width, 6), np.arange(top, top + height, 5))
        self._add(np.column_stack([x.ravel(), y.ravel()]), _TAKEN, -1)
        end_x, end_y = _leader(corner, width, height, point)
        return Place(left, top + 12, float(end_x[1]), float(end_y[1]))

    def _add(self, points: Floats, weight: float, number: int) -> None:
        rest = np.tile([weight, float(number)], (len(points), 1))
        self._points = np.vstack([self._points, np.column_stack([points, rest])])


def _size(lines: Sequence[str]) -> tuple[float, float]:
    return _CHARACTER * max(len(line) for line in lines), _LINE * len(lines)


def _corner(px: float, py: float, dx: int, dy: int, width: float, height: float) -> tuple[float, float]:
    return px + dx if dx > 0 else px + dx - width, py + dy - 12 if dy > 0 else py + dy - height


def _leader(
    corner: tuple[float, float], width: float, height: float, point: tuple[float, float]
) -> tuple[Floats, Floats]:
    left, top = corner
    x = float(np.clip(point[0], left, left + width))
    y = top - 1 if top > point[1] else top + height + 1
    return np.array([point[0], x]), np.array([point[1], y])


def _along(x: Floats, y: Floats) -> Floats:
    """The corners of a line and points between them, at most 4 px apart: (n, 2)."""
    pieces = [np.column_stack([x[:1], y[:1]])]
    for i in range(1, x.size):
        steps = int(max(abs(x[i] - x[i - 1]), abs(y[i] - y[i - 1])) / 4) + 2
        pieces.append(np.column_stack([np.linspace(x[i - 1], x[i], steps)[1:], np.linspace(y[i - 1], y[i], steps)[1:]]))
    return np.vstack(pieces)
