"""Figures of the grid of detection over the seeds that were run, and whether they count.

* A rate is k of n over all seeds, with Wilson's interval; an area is the mean over seeds, with the smallest and the
  largest, or a bootstrap's interval where there is one seed.
* A victim counts only if the attack took on it: its success is TOOK or more. Where none did, the place is not tested.
  Claims are about places where it is SURE or more over the victims that count.
* "–" is what was not measured, or has nothing to be measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studies.detection_table import OPEN, PLANTS
from studies.recipe_figures import NOT_TESTED, NOTHING, TOOK, Rate, Rows, rate

SURE = 0.9
DEFAULT, ENCODING, LOOP = "default", "encoding", "loop"
AUROC, PRECISION = "auroc", "average-precision"
VICTIM, INDEPENDENT = "victim", "independent"


@dataclass(frozen=True, order=True)
class Place:
    """Where figures belong: an attack on a set, so many times, in a setting, seen with an encoder, before a loop."""

    set: str
    attack: str
    poisons: int
    setting: str = ""
    encoder: str = VICTIM
    loop: str = ""

    @property
    def label(self) -> str:
        """Return "badnets, 120, +wrong-5"."""
        return ", ".join([self.attack, f"{self.poisons:,}", *([self.setting] if self.setting else [])])


FIRST = tuple(Place(plant.set, plant.attack, plant.first) for plant in PLANTS)


@dataclass(frozen=True)
class Mean:
    """A number of each seed, and the interval of the only one where there is one."""

    by_seed: tuple[float, ...]
    interval: tuple[float, float] | None = None

    @property
    def value(self) -> float:
        """The mean over seeds."""
        return sum(self.by_seed) / len(self.by_seed)

    def told(self, digits: int = 3) -> str:
        """Return "0.993" with, in small, the smallest and largest of several seeds or the interval of one."""
        text = f"{self.value:.{digits}f}"
        if len(self.by_seed) > 1:
            return f"{text} <small>({min(self.by_seed):.{digits}f} … {max(self.by_seed):.{digits}f})</small>"
        if self.interval is None:
            return text
        return f"{text} <small>[{self.interval[0]:.{digits}f}, {self.interval[1]:.{digits}f}]</small>"


class Figures:
    """All rows of the grid, by place."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._by_place: dict[Place, list[dict[str, Any]]] = {}
        for row in rows:
            named = {name: row[name] for name in ("set", "attack", "poisons", "setting", "encoder", "loop")}
            self._by_place.setdefault(Place(**named), []).append(row)
        self._all_seeds = {place: {row["seed"] for row in own} for place, own in self._by_place.items()}
        self._by_place = {place: _taken(own) or own for place, own in self._by_place.items()}

    def places(self) -> list[Place]:
        """Return every place that has rows: those that the tables compare first, then by name."""
        found = set(self._by_place)
        return [place for place in FIRST if place in found] + sorted(found - set(FIRST))

    def seeds(self, place: Place) -> str:
        """Return how many victims count, and of how many where that is not all of them."""
        every, spared = len(self._all_seeds.get(place, ())), len(self.spared(place))
        return f"{every - spared} of {every}" if spared else f"{every}"

    def spared(self, place: Place) -> set[int]:
        """Return the seeds of the victims on which the attack did not take, where it took on others."""
        return self._all_seeds.get(place, set()) - {row["seed"] for row in self._by_place.get(place, [])}

    def of(self, place: Place, detector: str) -> Rows:
        """Return the rows of one detector, of all victims that count."""
        return [row for row in self._by_place.get(place, []) if row["detector"] == detector]

    def detectors(self) -> list[str]:
        """Return every detector, the default first, in the order of the table of detectors where it has them."""
        from bezoar.detection.detectors import DETECTORS

        found = {row["detector"] for row in self.rows} - {DEFAULT, ENCODING, LOOP, *OPEN}
        known = [name for name in DETECTORS if name in found]
        return [DEFAULT, *known, *sorted(found - set(known))]

    def success(self, place: Place) -> Rate | None:
        """Return how often the attack succeeds on the victims of a place that count."""
        cells = {row["cell"]: row for row in self._by_place.get(place, []) if row["asr"] is not None}
        own = [
            {"measure": "asr", "value": row["asr"], "n": row["asr_n"], "seed": row["seed"]} for row in cells.values()
        ]
        return rate(own, "asr")

    def took(self, place: Place, least: float = TOOK) -> bool:
        """Say whether the attack took: without that, what was found or missed says nothing of detection."""
        found = self.success(place)
        return found is not None and found.value >= least

    def rate(self, place: Place, detector: str, measure: str) -> Rate | None:
        """Return a rate over all seeds; None where nobody measured it, or it is of none."""
        return rate(self.of(place, detector), measure)

    def mean(self, place: Place, detector: str, measure: str) -> Mean | None:
        """Return the mean of an area, or of seconds, over all seeds."""
        own = [row for row in self.of(place, detector) if row["measure"] == measure and row["value"] is not None]
        if not own:
            return None
        own = sorted(own, key=lambda row: row["seed"])
        one = own[0]
        interval = (one["low"], one["high"]) if len(own) == 1 and one["low"] is not None else None
        return Mean(tuple(row["value"] for row in own), interval)

    def mean_precision(self, places: Sequence[Place], detector: str) -> float | None:
        """Return the mean average precision over places; None where the detector lacks one of them."""
        found = [self.mean(place, detector, PRECISION) for place in places]
        values = [one.value for one in found if one is not None]
        return sum(values) / len(values) if values and len(values) == len(found) else None

    def sure(self, encoder: str = VICTIM) -> list[Place]:
        """Return the places that claims are about: those where the attack took for sure, looked at by this encoder."""
        return [place for place in self.places() if place.encoder == encoder and self._asked(place)]

    def _asked(self, place: Place) -> bool:
        return not place.loop and place.poisons > 0 and self.took(replace(place, encoder=VICTIM), SURE)


def _taken(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["asr"] is None or row["asr"] >= TOOK]


Told = Callable[[Figures, Place, str], str]


def shown(figures: Figures, place: Place, detector: str, told: Told) -> str:
    """Return what a column says of a detector at a place, or why it says nothing."""
    victims = replace(place, encoder=VICTIM)
    if figures.success(victims) is not None and not figures.took(victims):
        return NOT_TESTED
    return told(figures, place, detector)


def area(measure: str) -> Told:
    """Return what tells the mean of an area."""

    def told(figures: Figures, place: Place, detector: str) -> str:
        found = figures.mean(place, detector, measure)
        return found.told() if found else NOTHING

    return told


def share(measure: str) -> Told:
    """Return what tells a rate with its interval."""

    def told(figures: Figures, place: Place, detector: str) -> str:
        found = figures.rate(place, detector, measure)
        return found.short() if found else NOTHING

    return told


def recall(percent: int) -> Told:
    """Return what tells the recall at so much dropped, and the most that could be had where that is less than all."""

    def told(figures: Figures, place: Place, detector: str) -> str:
        found = figures.rate(place, detector, f"recall-at-{percent}-percent-dropped")
        if found is None:
            return NOTHING
        row = figures.of(place, detector)[0]
        most = min(1.0, math.floor(percent / 100 * row["pairs"]) / row["planted"])
        return found.short() + (f" of at most {100 * most:.1f} %" if most < 1 else "")

    return told


def seconds(figures: Figures, place: Place, detector: str) -> str:
    """Return the seconds of a detector."""
    found = figures.mean(place, detector, "seconds")
    return f"{found.value:.2f}" if found else NOTHING
