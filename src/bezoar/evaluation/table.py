"""Measures as lines for a terminal: those of no goal first, then goal by goal."""

from __future__ import annotations

from collections.abc import Sequence

from bezoar.evaluation.measure import Measure, told_as


def table_of(rows: Sequence[Measure]) -> list[str]:
    """Return a line a measure: name, value with its interval, n, and the never-poisoned model's value beside it."""
    width = max(len(row.name) for row in rows)
    lines: list[str] = []
    for goal in sorted({row.goal for row in rows}, key=lambda goal: _place(rows, goal)):
        own = [row for row in rows if row.goal == goal]
        lines += [] if goal is None else [goal]
        lines += [_line(row, width) for row in own]
    return lines


def _place(rows: Sequence[Measure], goal: str | None) -> int:
    return -1 if goal is None else next(place for place, row in enumerate(rows) if row.goal == goal)


def _line(row: Measure, width: int) -> str:
    value = told_as(row.unit, row.value, row.low, row.high)
    other = row.beside
    beside = "" if other is None else f"   beside {told_as(row.unit, other.value, other.low, other.high).strip()}"
    return f"  {row.name:<{width}} {value:<22}   n = {row.n:,}{beside}"
