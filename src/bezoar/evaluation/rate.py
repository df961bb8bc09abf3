"""A measured share with its n and its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bezoar.evaluation.intervals import wilson


@dataclass(frozen=True)
class Rate:
    """A measured share: `value` in 0…1 of `n`, with its 95 % Wilson interval and how it was measured."""

    name: str
    value: float
    n: int
    low: float
    high: float
    protocol: str

    @staticmethod
    def of(name: str, hits: NDArray[np.bool_], protocol: str) -> Rate:
        """Count hits."""
        low, high = wilson(int(hits.sum()), len(hits))
        return Rate(name, float(hits.mean()), len(hits), low, high, protocol)


def told(value: float, low: float, high: float) -> str:
    """Return a share and its interval as the terminal shows them: " 91.2 % [88.1, 93.6]"."""
    return f"{100 * value:5.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
