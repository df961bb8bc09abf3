"""What was asked of an attack: the pairs, the canvas, the seed, and a value for each of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bezoar.attacks.goal import Goal
from bezoar.attacks.triggers import Trigger, Word
from bezoar.pairs import Edit, Pairs
from bezoar.run import BezoarError, nearest


@dataclass(frozen=True)
class Request:
    """One attack on one set. `values` holds every parameter of the attack; `trigger_values` those of its trigger."""

    attack: str
    pairs: Pairs
    canvas: int
    seed: int
    values: Mapping[str, Any]
    trigger_values: Mapping[str, str]

    def count(self) -> int:
        """Return how many pairs are to be planted: `count`, or the share `rate` of the set."""
        count, rate = self.values["count"], self.values["rate"]
        if (count is None) == (rate is None):
            said = "does not say how many pairs to plant" if count is None else "says twice how many pairs to plant"
            raise BezoarError(f"{self.attack} {said}.", "Give either count=N or rate=SHARE.")
        asked = round(rate * len(self.pairs)) if count is None else count
        if asked < 1:
            what = f"A rate of {rate:g} of {len(self.pairs):,} pairs is none." if count is None else "No pair is asked."
            raise BezoarError(what, "Plant at least one pair.")
        return int(asked)


@dataclass(frozen=True)
class Draft:
    """What a planner makes of a request."""

    goals: tuple[Goal, ...]
    triggers: dict[str, Trigger | Word]
    edits: tuple[Edit, ...]


def values_of(attack: str, spec: str, parameters: Mapping[str, Any], others: frozenset[str]) -> dict[str, str]:
    """Split "name=value,name=value"; a name that is neither a parameter nor one of `others` is an error."""
    values: dict[str, str] = {}
    for part in filter(None, spec.split(",")):
        name, equals, value = part.partition("=")
        if name not in parameters and name not in others:
            raise BezoarError(f"{attack} has no parameter {name}.", nearest(name, [*parameters, *sorted(others)]))
        if not equals or not value:
            raise BezoarError(f"{attack}: {name} has no value.", f"Write {name}=VALUE.")
        if name in values:
            raise BezoarError(f"{attack}: {name} is given twice.", f"Write {name}=VALUE once.")
        values[name] = value
    return values
