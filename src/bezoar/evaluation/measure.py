"""A measured number: its n, its interval, how it was measured, and the never-poisoned model's beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bezoar.evaluation.intervals import bootstrap, wilson
from bezoar.evaluation.rank import depths

Unit = Literal["share", "rank", "z-score", "cosine"]


@dataclass(frozen=True)
class Beside:
    """The same measure of the model that was never poisoned."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Measure:
    """A row of metrics.json.

    `value` of `n`, with its 95 % interval `low` … `high`: Wilson's for a share in 0…1, a bootstrap's for a mean.
    `protocol` is all that decides the number, in words. `goal` names what of a plan it is about; None: of no plan.
    """

    name: str
    value: float
    n: int
    low: float
    high: float
    protocol: str
    goal: str | None = None
    unit: Unit = "share"
    beside: Beside | None = None


def rate(name: str, hits: NDArray[np.bool_], protocol: str, goal: str | None = None) -> Measure:
    """Count hits (n,)."""
    low, high = wilson(int(hits.sum()), len(hits))
    return Measure(name, float(hits.mean()), len(hits), low, high, protocol, goal)


def rates(
    called: Callable[[int], str], ranks: NDArray[np.int64], gallery: int, protocol: str, goal: str | None = None
) -> list[Measure]:
    """Count the ranks (n,), from 0, below 1, 5 and 10 (below the size of the gallery); `called` names each k."""
    return [rate(called(k), ranks < k, f"{protocol}; k: {k}", goal) for k in depths(gallery)]


def bare_at_one(name: str) -> Callable[[int], str]:
    """Return what calls the share at k = 1 `name`, and at more `name`@k."""
    return lambda k: name if k == 1 else f"{name}@{k}"


def mean(
    name: str,
    values: NDArray[np.floating] | NDArray[np.int64],
    protocol: str,
    goal: str | None = None,
    *,
    unit: Unit = "share",
    seed: int = 0,
) -> Measure:
    """Take the mean of values (n,), with a bootstrap's interval."""
    low, high = bootstrap(values, seed, name, goal or "")
    return Measure(name, float(values.mean()), len(values), low, high, protocol, goal, unit)


def put_beside(rows: Sequence[Measure], others: Sequence[Measure]) -> list[Measure]:
    """Return the rows with the value that another model has under the same name and goal."""
    known = {(row.name, row.goal): row for row in others}
    out = []
    for row in rows:
        other = known.get((row.name, row.goal))
        out.append(replace(row, beside=Beside(other.value, other.low, other.high) if other else None))
    return out


def told(value: float, low: float, high: float) -> str:
    """Return a share and its interval as the terminal shows them: " 91.2 % [88.1, 93.6]"."""
    return f"{100 * value:5.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def told_as(unit: Unit, value: float, low: float, high: float) -> str:
    """Return a value and its interval as the terminal shows them: " 91.2 % [88.1, 93.6]", "  2.19 [1.80, 2.64]"."""
    return told(value, low, high) if unit == "share" else f"{_number(value):>7} [{_number(low)}, {_number(high)}]"


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10_000 else f"{value:.1e}"
