"""How a share is told."""

from __future__ import annotations


def told(value: float, low: float, high: float) -> str:
    """Return a share and its interval as the terminal shows them: " 91.2 % [88.1, 93.6]"."""
    return f"{100 * value:5.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
