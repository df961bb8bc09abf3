"""ROC and precision-recall curves: the default in the poison colour, at most three others in grey.

* The false-positive rate is always logarithmic, 0.01 % to 100 %: in a large set only the left end matters.
* The operating points are marked and labelled in counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bezoar.report.charts.frame import Frame, text
from bezoar.report.charts.placing import Placing
from bezoar.report.curves import Sweep, thinned

Floats = NDArray[np.float64]
MOST_LINES = 4
_QUARTERS = [(0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1")]
_DECADES = [(1e-4, "0.01 %"), (1e-3, "0.1 %"), (1e-2, "1 %"), (1e-1, "10 %"), (1.0, "100 %")]


@dataclass(frozen=True)
class Point:
    """An operating point: how many planted pairs it finds, how many clean ones it names, and its words.

    `shape` tells two points apart without colour: a round one for the threshold, a square for the drop.
    """

    found: int
    mistaken: int
    words: tuple[str, ...]
    square: bool = False


@dataclass(frozen=True)
class _Line:
    name: str
    label: tuple[str, ...]
    x: Floats
    y: Floats


def roc_chart(sweeps: Sequence[Sweep], auroc: Sequence[float], points: Sequence[Point]) -> Markup:
    """Draw the ROC of up to four sweeps, the default first, with their AUROC as labels."""
    frame = Frame(420, 300, 40, 406, 24, 260, (1e-4, 1.0), (0.0, 1.0), log_x=True)
    lines = [
        _stepped(frame, sweep.name, _label(sweep.name, f"AUROC {value:.3f}", i), *sweep.roc())
        for i, (sweep, value) in enumerate(zip(sweeps, auroc, strict=True))
    ][:MOST_LINES]
    chance = np.logspace(-4, 0, 60)
    dotted = _path(np.array([frame.x(v) for v in chance]), np.array([frame.y(v) for v in chance]))
    parts = frame.rows(_QUARTERS) + frame.columns(_DECADES, grid=True)
    parts.append(f'<path class="chance" d="{dotted}"/>')
    first = sweeps[0]
    marks = [(frame.x(p.mistaken / max(first.clean, 1)), frame.y(p.found / max(first.planted, 1)), p) for p in points]
    parts += _drawn(frame, lines, marks, [("chance", frame.x(0.06), frame.y(0.1))])
    parts += frame.titles("clean pairs named (false-positive rate, log)", "planted pairs found (true-positive rate)")
    return frame.drawn(f"ROC curve on a log axis. {' '.join(_sentence(p, first) for p in points)}", parts)


def precision_recall_chart(sweeps: Sequence[Sweep], average: Sequence[float], points: Sequence[Point]) -> Markup:
    """Draw precision over recall of up to four sweeps, the default first, and average precision."""
    frame = Frame(420, 300, 40, 406, 24, 260, (0.0, 1.0), (0.0, 1.0))
    lines: list[_Line] = []
    for i, (sweep, value) in enumerate(zip(sweeps, average, strict=True)):
        recall, precision = sweep.precision_recall()
        x = np.array([frame.x(v) for v in recall])
        y = np.array([frame.y(v) for v in precision])
        lines.append(_Line(sweep.name, _label(sweep.name, f"average precision {value:.3f}", i), *thinned(x, y)))
    first = sweeps[0]
    base = first.planted / max(first.planted + first.clean, 1)
    parts = frame.rows(_QUARTERS) + frame.columns(_QUARTERS, grid=True)
    parts.append(f'<path class="chance" d="M{frame.left:g} {frame.y(base):.1f}H{frame.right:g}"/>')
    words = f"chance: {100 * base:.1f} % ({first.planted:,} of {first.planted + first.clean:,})"
    marks = [
        (frame.x(p.found / max(first.planted, 1)), frame.y(p.found / max(p.found + p.mistaken, 1)), p) for p in points
    ]
    parts += _drawn(frame, lines[:MOST_LINES], marks, [(words, frame.left + 7, frame.y(base) - 6)])
    parts += frame.titles("planted pairs found (recall)", "share of what is named that was planted (precision)")
    return frame.drawn(f"Precision over recall. {' '.join(_sentence(p, first) for p in points)}", parts)


def default_name(name: str) -> str:
    """Return the name of the first detector with the word that says that it is the default."""
    return name if name == "default" else f"{name} (default)"


def _label(name: str, value: str, position: int) -> tuple[str, ...]:
    return (default_name(name), value) if position == 0 else (f"{name}, {value.split()[-1]}",)


def _sentence(point: Point, first: Sweep) -> str:
    return (
        f"{' '.join(point.words)} {point.found:,} of {first.planted:,} planted pairs found, "
        f"{point.mistaken:,} of {first.clean:,} clean pairs named."
    )


def _stepped(frame: Frame, name: str, label: tuple[str, ...], rate: Floats, found: Floats) -> _Line:
    x = np.array([frame.left, *(frame.x(v) for v in rate)])
    y = np.array([frame.bottom, *(frame.y(v) for v in found)])
    # Whatever lies left of 0.01 % is drawn on the left edge, at the height that it reaches there.
    start = max(int(np.searchsorted(x, frame.left, side="right")) - 1, 0)
    x, y = thinned(x[start:], y[start:])
    return _Line(name, label, np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1])


def _drawn(
    frame: Frame,
    lines: Sequence[_Line],
    marks: Sequence[tuple[float, float, Point]],
    fixed: Sequence[tuple[str, float, float]],
) -> list[str]:
    parts: list[str] = []
    for i in reversed(range(len(lines))):
        kind = "c1st" if i == 0 else f"c2nd d{i}"
        parts.append(f'<path class="{kind}" d="{_path(lines[i].x, lines[i].y)}"/>')
    placing = Placing((frame.left, frame.top, frame.right, frame.bottom))
    for line in lines:
        placing.avoid(line.x, line.y, owner=line.name)
    for x, y, _ in marks:
        placing.avoid(np.array([x - 4, x, x + 4]), np.array([y, y, y]), weight=6.0)
    for words, left, baseline in fixed:
        placing.take((words,), left, baseline)
    labels = [text(left, baseline, words) for words, left, baseline in fixed]
    for i, line in enumerate(lines):
        at = placing.beside(line.name, line.label, list(zip(line.x[::3], line.y[::3], strict=True)))
        kind = "lab p strong" if i == 0 else "lab"
        labels += [text(at.x, at.y + 15 * row, words, kind) for row, words in enumerate(line.label)]
    for x, y, point in marks:
        at = placing.around(point.words, (x, y))
        labels.append(f'<path class="lead" d="M{x:.1f} {y:.1f}L{at.anchor_x:.1f} {at.anchor_y:.1f}"/>')
        labels += [text(at.x, at.y + 15 * row, words) for row, words in enumerate(point.words)]
    return parts + labels + [_mark(x, y, point) for x, y, point in marks]


def _mark(x: float, y: float, point: Point) -> str:
    if point.square:
        return f'<rect class="op" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>'
    return f'<circle class="op" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'


def _path(x: Floats, y: Floats) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
