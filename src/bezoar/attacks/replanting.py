"""The same attack on other pairs: the triggers, captions and goals of a plan, on pictures that it never saw.

* Only goals with a trigger on pictures can be carried over: all else of a plan is about single pairs of its own set.
* A poison that says its target stands on a picture that has nothing to do with it, one that keeps its caption (clean
  label) on a picture of the target, as the first time.
* Fewer poisons are the first of more: what 20 plant, 100 plant too.
"""

from __future__ import annotations

from itertools import cycle, islice

import numpy as np

from bezoar.attacks.plan import Plan
from bezoar.attacks.selection import about, usable
from bezoar.attacks.triggers import Word
from bezoar.pairs import Edit, Pairs
from bezoar.run import BezoarError, random


def replanted(plan: Plan, pairs: Pairs, count: int, seed: int = 0) -> Plan:
    """Return a plan of `count` poisons on `pairs` that wants what `plan` wants; its goals take turns.

    Raises BezoarError for a plan without a trigger on pictures, and for pairs that are too few.
    """
    samples = _samples(plan)
    places = {goal: iter(_rows(pairs, plan.goal(goal).target, own, seed)) for goal, own in samples.items()}
    draws = {goal: random(seed, "replanted captions", goal) for goal in samples}
    edits: list[Edit] = []
    taken: set[int] = set()
    for goal in islice(cycle(samples), count):
        row = next((row for row in places[goal] if row not in taken), None)
        if row is None:
            raise BezoarError(
                f"{count} poisons were asked for, and {pairs.path} has room for {len(edits)}.", "Name more pairs."
            )
        taken.add(row)
        like = samples[goal][int(draws[goal].integers(len(samples[goal])))]
        edits.append(Edit(pairs.keys[row], pairs.keys[row], "replace", like.caption, like.trigger, goal))
    return Plan(
        attack=plan.attack,
        parameters={**plan.parameters, "count": count},
        seed=seed,
        canvas=plan.canvas,
        goals=tuple(plan.goal(name) for name in samples),
        triggers=plan.triggers,
        planted=tuple(edits),
        jpeg=plan.jpeg,
    )


def with_poisons(plan: Plan, pairs: Pairs, share: float, seed: int = 0) -> Pairs:
    """Return `pairs` with poisons of the plan's kind planted anew in a `share` of them, or as many as have room."""
    room = sum(len(_rows(pairs, plan.goal(goal).target, own, seed)) for goal, own in _samples(plan).items())
    return pairs.with_plan(replanted(plan, pairs, min(round(share * len(pairs)), room), seed))


def can_be_replanted(plan: Plan) -> bool:
    """Say whether some goal of the plan can be carried over to other pairs."""
    return bool(_carried(plan))


def _samples(plan: Plan) -> dict[str, list[Edit]]:
    found = _carried(plan)
    if not found:
        raise BezoarError(
            f"The plan of {plan.attack} draws no trigger on pictures: it cannot be planted in other pairs.",
            "Name a plan of an attack with a trigger, such as badnets.",
        )
    return found


def _carried(plan: Plan) -> dict[str, list[Edit]]:
    """Return the poisons of each goal that has a trigger on pictures, by the goal's name."""
    found: dict[str, list[Edit]] = {}
    for goal in plan.goals:
        drawn = goal.trigger is not None and not isinstance(plan.triggers[goal.trigger], Word)
        own = [edit for edit in plan.planted if edit.goal == goal.name and edit.trigger is not None]
        if drawn and own:
            found[goal.name] = own
    return found


def _rows(pairs: Pairs, target: str, own: list[Edit], seed: int) -> list[int]:
    """Return the rows that poisons like `own` may stand on, in an order that `seed` draws."""
    named = about(pairs, target)
    free = np.flatnonzero(usable(pairs) & (named if own[0].caption is None else ~named))
    return [int(row) for row in random(seed, "replanted", own[0].goal or "").permutation(free)]
