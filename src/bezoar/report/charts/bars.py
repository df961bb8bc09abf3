"""Bars from zero on a fixed axis of 0 to 100 %, so that bars compare across a page."""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup, escape

from bezoar.evaluation.intervals import wilson
from bezoar.report.escape import visible

Kind = Literal["poison", "clean", "control"]


def rate_bar(successes: int, n: int, kind: Kind) -> Markup:
    """Return the bar of `successes` of `n` with its 95 % Wilson interval as a whisker."""
    low, high = (100 * end for end in wilson(successes, n))
    rate = 100 * successes / n if n else 0.0
    whisker = (
        f'<path class="bar-i" vector-effect="non-scaling-stroke" '
        f'd="M{low:.2f} 7H{high:.2f}M{low:.2f} 3.5V10.5M{high:.2f} 3.5V10.5"/>'
    )
    return _bar(rate, kind, f"{rate:.1f} percent, interval {low:.1f} to {high:.1f}", whisker)


def answer_bar(share: float, kind: Kind, name: str) -> Markup:
    """Return the bar of one answer's share of the softmax, in [0, 1], without an interval."""
    return _bar(100 * share, kind, f"{visible(name)} {100 * share:.0f} percent", "")


def _bar(percent: float, kind: Kind, label: str, whisker: str) -> Markup:
    return Markup(  # noqa: S704 - numbers, fixed class names and an escaped label only
        f'<svg class="bar {kind}" viewBox="0 0 100 14" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}"><rect class="bar-bg" width="100" height="14"/>'
        f'<rect class="bar-v" y="2" width="{percent:.2f}" height="10"/>{whisker}</svg>'
    )
