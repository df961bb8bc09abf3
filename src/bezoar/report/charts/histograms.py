"""Histograms with log counts, on which chance is a straight line (suspicion) or a parabola (robust z).

* The null is drawn and named; what lies beyond the axis stands in the last bin, whose tick says "or more".
"""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bezoar.report.charts.frame import Frame, powers_of_ten, text

Floats = NDArray[np.float64]
WIDTH = 0.25
LONGEST_SUSPICION = 12.0
LARGEST_Z = 12.0
_FLOOR = 0.6


def suspicion_histogram(
    suspicion: Floats, flagged: NDArray[np.bool_], expected: float, planted: NDArray[np.bool_] | None
) -> Markup:
    """Draw the suspicion (n,) of all pairs, the flagged ones hatched, planted ones as ticks below.

    `expected` is how many of the flagged pairs may be clean. A line marks the least suspicious of them where no other
    pair lies beyond it; pairs that were flagged in a group may lie among others.
    """
    values = np.nan_to_num(suspicion, nan=0.0, posinf=LONGEST_SUSPICION)
    number, top = int(flagged.sum()), _top(float(values.max(initial=0.0)))
    counts, edges = np.histogram(np.clip(values, 0, top), bins=round(top / WIDTH), range=(0, top))
    frame = _frame(268, 34, (0.0, top), float(counts.max(initial=1)))
    hatched, _ = np.histogram(np.clip(values[flagged], 0, top), bins=edges)
    parts = frame.rows(powers_of_ten(frame.y_range[1]))
    parts += _bars(frame, np.where(counts > hatched, counts, 0), edges, "b-n")
    parts += _bars(frame, hatched, edges, "b-p")
    parts += _chance(frame, values.size, top)
    if number:
        threshold = min(float(values[flagged].min()), top)
        parts += _threshold(frame, threshold, number, expected, alone=not (values[~flagged] >= threshold).any())
    parts += _across(frame, 0, top, 2, clipped=float(values.max(initial=0.0)) > top)
    if planted is not None:
        parts += _rug(frame, values[planted], "planted")
    parts += frame.titles("suspicion = −log₁₀ p", f"pairs in a bin of {WIDTH} (log)")
    finding = f"{number:,} pairs are flagged" if number else "No pair is flagged"
    return frame.drawn(f"Histogram of suspicion over {values.size:,} pairs. {finding}.", parts)


def witness_histogram(name: str, z: Floats, planted: NDArray[np.bool_] | None) -> Markup:
    """Draw the robust z (n,) of one witness; NaN, where it was silent, is left out."""
    spoke = np.isfinite(z)
    values = z[spoke]
    low, high = -4.0, _top(float(values.max(initial=0.0)), LARGEST_Z, least=4.0)
    counts, edges = np.histogram(np.clip(values, low, high), bins=round((high - low) / WIDTH), range=(low, high))
    frame = _frame(208, 30, (low, high), float(counts.max(initial=1)))
    parts = frame.rows(powers_of_ten(frame.y_range[1]))
    parts += _bars(frame, counts, edges, "b-n")
    parts += _normal(frame, values.size)
    parts += _across(frame, -4, high, 4, clipped=float(values.max(initial=0.0)) > high)
    if planted is not None:
        parts += _rug(frame, values[planted[spoke]], "planted")
    parts += frame.titles("robust z", "pairs (log)")
    beyond = int((values >= 4).sum())
    return frame.drawn(
        f"Histogram of {name} over {values.size:,} pairs. {beyond:,} lie at a robust z of 4 or more.", parts
    )


def _top(largest: float, longest: float = LONGEST_SUSPICION, least: float = 4.0) -> float:
    return float(min(longest, max(least, 2 * math.ceil((largest + WIDTH) / 2))))


def _frame(height: float, top: float, across: tuple[float, float], most: float) -> Frame:
    return Frame(460, height, 46, 446, top - 6, height - 58, across, (_FLOOR, most * 1.5), log_y=True)


def _bars(frame: Frame, counts: NDArray[np.int64], edges: Floats, kind: str) -> list[str]:
    parts: list[str] = []
    for number, edge in zip(counts, edges, strict=False):
        if not number:
            continue
        x, y = frame.x(float(edge)), frame.y(float(number))
        width = frame.x(float(edge) + WIDTH) - x - 1.2
        parts.append(
            f'<rect class="{kind}" x="{x + 0.6:.1f}" y="{y:.1f}" width="{width:.1f}" height="{frame.bottom - y:.1f}"/>'
        )
    return parts


def _chance(frame: Frame, n: int, top: float) -> list[str]:
    """The share of a uniform p-value's −log₁₀ in a bin falls tenfold with each step: a straight line."""
    if not n:
        return []
    half = WIDTH / 2
    scale = n * (10**half - 10**-half)
    end = min(top, math.log10(scale / _FLOOR)) if scale > _FLOOR else half
    first, last = ((frame.x(at), frame.y(scale * 10**-at)) for at in (half, end))
    return [
        f'<path class="null" d="M{first[0]:.1f} {first[1]:.1f}L{last[0]:.1f} {last[1]:.1f}"/>',
        text(first[0] + 22, first[1] + 10, "chance alone"),
    ]


def _normal(frame: Frame, n: int) -> list[str]:
    points: list[str] = []
    for x in np.arange(frame.x_range[0], frame.x_range[1], 0.2):
        expected = n * WIDTH * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        if expected >= _FLOOR:
            points.append(f"{frame.x(float(x)):.1f} {frame.y(expected):.1f}")
    if len(points) < 2:
        return []
    at = frame.x(2.2), frame.y(n * WIDTH * math.exp(-1.6 * 1.6 / 2) / math.sqrt(2 * math.pi))
    return [f'<path class="null" d="M{"L".join(points)}"/>', text(*at, "chance alone")]


def _threshold(frame: Frame, threshold: float, number: int, expected: float, *, alone: bool) -> list[str]:
    x = frame.x(threshold)
    to_the_left = x > (frame.left + frame.right) / 2
    place, end = (x - 6, " e") if to_the_left else (x + 6, "")
    about = f"at most {expected:.0f}" if expected >= 1 else "less than one"
    line = [f'<path class="thr" d="M{x:.1f} {frame.top:g}V{frame.bottom:g}"/>'] if alone else []
    where = f" at {threshold:.2f} or more" if alone else ""
    return [
        *line,
        text(place, frame.top + 26, f"{number:,} flagged{where}", f"lab strong p{end}"),
        text(place, frame.top + 42, f"{about} of them expected to be clean", f"lab{end}"),
    ]


def _across(frame: Frame, low: float, high: float, step: int, *, clipped: bool) -> list[str]:
    ticks = [(float(v), f"{v:d}".replace("-", "−")) for v in range(int(low), int(high) + 1, step)]
    if clipped:
        ticks = [tick for tick in ticks if tick[0] <= high - 0.2 * (high - low)] + [(high, f"{high:g} or more")]
    marks = frame.columns(ticks)
    if clipped:
        marks[-1] = text(frame.right, frame.bottom + 16, f"{high:g} or more", "ax e")
    return [f'<path class="axis" d="M{frame.left:g} {frame.bottom:g}H{frame.right:g}"/>', *marks]


def _rug(frame: Frame, values: Floats, name: str) -> list[str]:
    # A tick for each pixel that holds a pair: a thousand planted pairs draw no more than 400 ticks.
    places = sorted({round(frame.x(float(v))) for v in values})
    ticks = "".join(f"M{x} {frame.bottom + 21:g}v7" for x in places)
    return [f'<path class="rug" d="{ticks}"/>', text(frame.left - 6, frame.bottom + 29, name, "ax e")]
