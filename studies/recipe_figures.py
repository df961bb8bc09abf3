"""Figures of the grid of defences, pooled over the seeds that were run, and whether they count.

* A rate is k of n over all seeds, with Wilson's interval; the seeds' own rates stand beside it.
* A cell counts only with the seeds of which the untreated model was measured, and only if there the attack took: its
  success is TOOK or more. The untreated model of a training is `clip`, that of a repair its victim as it came.
* A difference is taken over the seeds that both have.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bezoar.evaluation.intervals import wilson

Rows = Sequence[dict[str, Any]]
TOOK = 0.7
PLAIN, CONTROL, UNTREATED = "clip", "clip-augmented", "none"
ADAPTED = "adapted-"
ACCURACY = "zero-shot-top1"
SUCCESS = ("asr", "psr")
BENIGN = "after-adaptation"
POISONS = ("after-5-poisons", "after-20-poisons", "after-100-poisons")
RETRIEVAL = ("r@1-image-to-text", "r@1-text-to-image")
NOTHING, NOT_TESTED, NO_CONTROL = "–", "not tested", "no control"


@dataclass(frozen=True, order=True)
class Place:
    """Where a figure belongs: a defence against an attack on a set, of the victim that was trained with `victim`."""

    set: str
    attack: str
    defence: str
    victim: str = PLAIN

    @property
    def untreated(self) -> Place:
        """The place of the model that the attack has to have taken in."""
        return replace(self, defence=PLAIN if self.victim == PLAIN else UNTREATED)

    @property
    def adapted(self) -> Place:
        """The place of the same model after it has gone on training."""
        return replace(self, defence=ADAPTED + self.defence)

    @property
    def treated(self) -> bool:
        """Whether something was done against the attack."""
        return self.defence not in (PLAIN, UNTREATED)


@dataclass(frozen=True)
class Rate:
    """Successes and cases over all seeds, and the rate of each seed."""

    successes: int
    n: int
    by_seed: tuple[float, ...]

    @property
    def value(self) -> float:
        """The pooled rate."""
        return self.successes / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the pooled rate."""
        return wilson(self.successes, self.n)

    def short(self) -> str:
        """Return "0.4 % [0.2, 0.7]"."""
        low, high = self.interval
        return f"{100 * self.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"

    def told(self) -> str:
        """Return "12 of 3,292, 0.4 % [0.2, 0.7]", and in small the smallest and the largest of several seeds."""
        return f"{self.successes:,} of {self.n:,}, {self.short()}{self.spread()}"

    def spread(self) -> str:
        """Return the smallest and the largest of the seeds in small, nothing for one."""
        if len(self.by_seed) < 2:
            return ""
        return f" <small>({100 * min(self.by_seed):.1f} … {100 * max(self.by_seed):.1f})</small>"


@dataclass(frozen=True)
class Difference:
    """One accuracy less another: pooled, with its 95 % interval, and by seed."""

    value: float
    interval: tuple[float, float]
    by_seed: tuple[float, ...]

    def told(self) -> str:
        """Return "−1.2 [−2.4, +0.1]" in points, and in small the smallest and the largest of several seeds."""
        low, high = self.interval
        text = f"{_points(self.value)} [{_points(low)}, {_points(high)}]"
        if len(self.by_seed) < 2:
            return text
        return f"{text} <small>({_points(min(self.by_seed))} … {_points(max(self.by_seed))})</small>"

    def short(self) -> str:
        """Return "−1.2" in points."""
        return _points(self.value)


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def rate(rows: Rows, measure: str, value: str = "value") -> Rate | None:
    """Return the pooled rate of a measure, or of the model `beside`; None where nobody measured it."""
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if row["measure"] == measure and row[value] is not None and row["n"]:
            counts[row["seed"]][0] += round(row[value] * row["n"])
            counts[row["seed"]][1] += row["n"]
    if not counts:
        return None
    pairs = [counts[seed] for seed in sorted(counts)]
    return Rate(sum(k for k, _ in pairs), sum(n for _, n in pairs), tuple(k / n for k, n in pairs))


def success_of(rows: Rows) -> str:
    """Return the measure that the rows are judged by, empty where they have none."""
    measured = {row["measure"] for row in rows}
    return next((name for name in SUCCESS if name in measured), "")


def seeds_of(rows: Rows) -> set[int]:
    """Return the seeds of the rows."""
    return {row["seed"] for row in rows}


def of_seeds(rows: Rows, seeds: Iterable[int]) -> Rows:
    """Return the rows of those seeds."""
    wanted = set(seeds)
    return [row for row in rows if row["seed"] in wanted]


def _measuring(measure: str, rows: Rows) -> Rows:
    return [row for row in rows if row["measure"] == measure]


def retrieval(rows: Rows) -> str:
    """Return the mean of R@1 both ways over the seeds, and in small the smallest and the largest."""
    by_seed = []
    for seed in sorted(seeds_of(rows)):
        ways = [rate(of_seeds(rows, [seed]), name) for name in RETRIEVAL]
        if all(ways):
            by_seed.append(sum(way.value for way in ways if way) / len(ways))
    if not by_seed:
        return NOTHING
    mean = sum(by_seed) / len(by_seed)
    spread = f" <small>({100 * min(by_seed):.1f} … {100 * max(by_seed):.1f})</small>" if len(by_seed) > 1 else ""
    return f"{100 * mean:.1f} %{spread}"


def cost(rows: Rows) -> str:
    """Return the mean cost over the cells in plain trainings."""
    costs = {row["cell"]: row["cost"] for row in rows if row["cost"] is not None}
    return f"{sum(costs.values()) / len(costs):.2f} ×" if costs else NOTHING


class Figures:
    """All rows by their place."""

    def __init__(self, rows: Rows) -> None:
        self.rows = _with_second_victims(rows)
        self._places: dict[Place, list[dict[str, Any]]] = defaultdict(list)
        for row in self.rows:
            self._places[Place(row["set"], row["attack"], row["defence"], row["victim"])].append(row)

    def places(self) -> list[Place]:
        """Return every place that has a row."""
        return sorted(self._places)

    def all_of(self, place: Place) -> Rows:
        """Return every row of a place, whether it counts or not."""
        return self._places.get(place, [])

    def untreated(self, place: Place) -> Rows:
        """Return the rows of the untreated model: of plain training, else of the victim that nobody repaired."""
        return self.all_of(place.untreated) or self.all_of(replace(place, defence=UNTREATED))

    def of(self, place: Place) -> Rows:
        """Return the rows of a place that count: those of the seeds whose untreated model was measured."""
        own = self.all_of(place)
        return of_seeds(own, seeds_of(self.untreated(place))) if place.treated else own

    def why_not(self, place: Place) -> str:
        """Return what stands in place of figures, empty where they count."""
        own = self.of(place)
        if not place.treated:
            return "" if own else NOTHING
        # Where an attack does not take, nothing is run against it: then all seeds of the untreated model speak.
        untreated = of_seeds(self.untreated(place), seeds_of(own) or seeds_of(self.untreated(place)))
        taken = rate(untreated, success_of(untreated))
        if taken is None:
            return NO_CONTROL if self.all_of(place) else NOTHING
        if taken.value < TOOK:
            return NOT_TESTED
        if own:
            return ""
        return NO_CONTROL if self.all_of(place) else NOTHING

    def success(self, place: Place) -> Rate | None:
        """Return the attack's success where the figures count."""
        own = self.of(place)
        return None if self.why_not(place) else rate(own, success_of(own))

    def adapted(self, place: Place, course: str, value: str = "value") -> Rate | None:
        """Return the worst success on a course of further training, of the model or of the one `beside`."""
        after = place.adapted
        found = None if self.why_not(after) else [rate(self.of(after), f"{name}-{course}", value) for name in SUCCESS]
        return next((one for one in found or () if one), None)

    def difference(self, place: Place, control: str) -> Difference | None:
        """Return the accuracy less that of another defence of the same set, attack, victim and seeds.

        The interval is Newcombe's (1998, method 10) of two independent rates. Here both models see the same pictures,
        so it is rather too wide than too narrow.
        """
        own, other = self.of(place), self.of(replace(place, defence=control))
        seeds = set.intersection(
            *(seeds_of([row for row in rows if row["measure"] == ACCURACY]) for rows in (own, other))
        )
        one, two = rate(of_seeds(own, seeds), ACCURACY), rate(of_seeds(other, seeds), ACCURACY)
        if self.why_not(place) or one is None or two is None:
            return None
        gap = one.value - two.value
        (low, high), (other_low, other_high) = one.interval, two.interval
        below = math.hypot(one.value - low, other_high - two.value)
        above = math.hypot(high - one.value, two.value - other_low)
        by_seed = tuple(first - second for first, second in zip(one.by_seed, two.by_seed, strict=True))
        return Difference(gap, (gap - below, gap + above), by_seed)


def _with_second_victims(rows: Rows) -> Rows:
    """Return the rows and, as a training of its own, each second victim that nobody repaired."""
    known = {row["defence"] for row in rows}
    own = [
        {**row, "defence": row["victim"], "victim": PLAIN, "kind": "training"}
        for row in rows
        if row["defence"] == UNTREATED and row["victim"] != PLAIN and row["victim"] not in known
    ]
    return [*rows, *own]
