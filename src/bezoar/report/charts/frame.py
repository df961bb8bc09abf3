"""The frame of a chart: scales, grid, ticks and text, as SVG strings."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from bezoar.report.escape import visible


@dataclass(frozen=True)
class Frame:
    """A plotting area in pixels, and the values at its edges; `log_x` and `log_y` scale by log10."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    log_x: bool = False
    log_y: bool = False

    def x(self, value: float) -> float:
        """Return the pixel of a value, held inside the frame."""
        return self.left + (self.right - self.left) * _part(value, self.x_range, self.log_x)

    def y(self, value: float) -> float:
        """Return the pixel of a value, held inside the frame; up is less."""
        return self.bottom - (self.bottom - self.top) * _part(value, self.y_range, self.log_y)

    def rows(self, ticks: Iterable[tuple[float, str]]) -> list[str]:
        """Return grid lines across, each with its label on the left."""
        parts: list[str] = []
        for value, label in ticks:
            y = self.y(value)
            parts.append(f'<path class="grid" d="M{self.left:g} {y:.1f}H{self.right:g}"/>')
            parts.append(text(self.left - 6, y + 4, label, "ax e"))
        return parts

    def columns(self, ticks: Iterable[tuple[float, str]], *, grid: bool = False) -> list[str]:
        """Return marks under the axis, or grid lines up from it, each with its label below."""
        parts: list[str] = []
        for value, label in ticks:
            x = self.x(value)
            path = f"M{x:.1f} {self.top:g}V{self.bottom:g}" if grid else f"M{x:.1f} {self.bottom:g}v4"
            parts.append(f'<path class="{"grid" if grid else "axis"}" d="{path}"/>')
            end = " s" if x <= self.left + 1 and grid else " e" if x >= self.right - 1 and grid else " m"
            parts.append(text(x, self.bottom + 16, label, "ax" + end))
        return parts

    def titles(self, across: str, up: str) -> list[str]:
        """Return the axis titles: x under the axis with an arrow, y horizontally on top."""
        return [text(self.left, self.height - 6, f"{across} →", "ax"), text(2, 14, up, "ax")]

    def drawn(self, title: str, parts: Iterable[str], kind: str = "fig") -> Markup:
        """Return the whole chart; `title` is the sentence that says what it shows."""
        label, box = escape(visible(title)), f"0 0 {self.width:g} {self.height:g}"
        return Markup(  # noqa: S704 - numbers, class names and escaped text only
            f'<svg class="{kind}" viewBox="{box}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
        )


def text(x: float, y: float, words: str, kind: str = "lab") -> str:
    """Return one line of text; `words` may be hostile."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(visible(words))}</text>'


def powers_of_ten(highest: float) -> list[tuple[float, str]]:
    """Return the ticks 1, 10, 100 … up to `highest`."""
    return [(10.0**k, f"{10**k:,}") for k in range(int(math.log10(max(highest, 1.0))) + 1)]


def _part(value: float, ends: tuple[float, float], log: bool) -> float:
    low, high = ends
    if log:
        value, low, high = (math.log10(max(v, 1e-12)) for v in (value, low, high))
    return min(1.0, max(0.0, (value - low) / (high - low)))
