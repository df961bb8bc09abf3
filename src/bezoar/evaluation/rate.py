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
