"""How a benchmark is measured: two sides, in turn, the shortest of several runs of each."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Result:
    """A ratio, and everything one needs to judge it (shapes, seconds of both sides, runs)."""

    ratio: float
    details: dict[str, Any]


@dataclass(frozen=True)
class Benchmark:
    """A row of the table: the ratio must be `"at most"` or `"at least"` `limit`; None where nothing was asked."""

    name: str
    bound: Literal["at most", "at least"]
    limit: float | None
    function: Callable[[], Result]

    def report(self) -> dict[str, Any]:
        """Run it; return the JSON object of one line."""
        result = self.function()
        holds = None
        if self.limit is not None:
            holds = result.ratio <= self.limit if self.bound == "at most" else result.ratio >= self.limit
        return {
            "name": self.name,
            "ratio": round(result.ratio, 3),
            "goal": None if self.limit is None else f"{self.bound} {self.limit:g}",
            "holds": holds,
            "details": {"machine": machine(), **result.details},
        }


def shortest(*sides: Callable[[], object], runs: int, clock: Callable[[], float]) -> list[float]:
    """Return the shortest seconds of each side; the sides take turns, so that a busy moment meets both."""
    best = [float("inf")] * len(sides)
    for _ in range(runs):
        for index, side in enumerate(sides):
            start = clock()
            side()
            best[index] = min(best[index], clock() - start)
    return best


def cpu_seconds() -> float:
    """Return the processor time of this process, all threads together."""
    return time.process_time()


def machine() -> str:
    """Return the processor's name."""
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        for line in cpus.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
