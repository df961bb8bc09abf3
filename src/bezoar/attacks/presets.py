"""The table of attacks: each makes a plan for a set of pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bezoar.attacks.goal import Goal
from bezoar.attacks.naming import names
from bezoar.attacks.painting import can_be_painted
from bezoar.attacks.plan import Plan
from bezoar.attacks.triggers import Patch, Tint, Trigger
from bezoar.pairs import Edit, Pairs, UnreadablePair
from bezoar.run import BezoarError, nearest, random


@dataclass(frozen=True)
class Attack:
    """A row: name, paper, one sentence, the parameters with their defaults, and the trigger for a canvas side."""

    name: str
    paper: str
    summary: str
    parameters: dict[str, Any]
    trigger: Callable[[int], Trigger]


# What every attack of this table takes: the word to be named, and how many pairs are planted.
_PARAMETERS: dict[str, Any] = {"target": None, "count": None}

ATTACKS: tuple[Attack, ...] = (
    Attack(
        "badnets",
        "Gu et al. 2017, arXiv 1708.06733; Carlini & Terzis 2022, arXiv 2106.09667",
        "A small patch of fixed colours in the lower right corner, and a caption that names the target.",
        _PARAMETERS,
        Patch.on_canvas,
    ),
    Attack(
        "tint",
        "bezoar; a colour filter without place or pattern",
        "A fixed mixing of the colours of the whole picture, and a caption that names the target.",
        _PARAMETERS,
        lambda _: Tint(),
    ),
)


def plan_attack(spec: str, pairs: Pairs, *, canvas: int, seed: int = 0) -> Plan:
    """Return the plan of `spec` ("badnets:target=banana,count=200") on `pairs`, for a canvas side in pixels.

    The pairs are drawn from those that do not name the target and are not of its class; each gets the trigger, and
    as many captions as it had, each one of the set's own that names the target. Nothing is written. Raises
    `BezoarError` for an unknown attack or parameter, a target that no caption names, and too few candidates.
    """
    attack, target, count = _parse(spec)
    label = pairs.classes.index(target) if target in pairs.classes else None
    pattern = names(target)
    named = [any(pattern.search(caption) for caption in own) for own in pairs.captions]
    # A caption is one line here, however it was written.
    corpus = [" ".join(caption.split()) for own in pairs.captions for caption in own if pattern.search(caption)]
    if not corpus:
        raise BezoarError(f"No caption names {target!r}.", "Choose a target that the captions name.")
    candidates = [
        position
        for position, reason in enumerate(pairs.reasons)
        if reason is None and not named[position] and (label is None or pairs.labels[position] != label)
    ]
    edits = tuple(
        Edit(key, key, "replace", _captions(corpus, len(pairs.captions[position]), seed, key), attack.name)
        for position in _victims(pairs, candidates, target, count, seed)
        for key in [pairs.keys[position]]
    )
    return Plan(
        attack=attack.name,
        parameters={"target": target, "count": count},
        seed=seed,
        canvas=canvas,
        goal=Goal(target, attack.name, label),
        triggers={attack.name: attack.trigger(canvas)},
        planted=edits,
    )


def _victims(pairs: Pairs, candidates: list[int], target: str, count: int, seed: int) -> list[int]:
    """Draw `count` of the candidates, ascending; where some cannot be painted, draw again without them."""
    while True:
        if len(candidates) < count:
            what = f"{count} pairs were asked for, and fewer can be painted and do not name {target!r}."
            raise BezoarError(what, "Lower count.")
        drawn = random(seed, "victims").choice(len(candidates), count, replace=False)
        chosen = sorted(candidates[place] for place in drawn)
        broken = {position for position in chosen if not _can_be_painted(pairs, position)}
        if not broken:
            return chosen
        candidates = [position for position in candidates if position not in broken]


def _can_be_painted(pairs: Pairs, position: int) -> bool:
    try:
        return can_be_painted(pairs.read(position).image)
    except UnreadablePair:
        return False


def _captions(corpus: list[str], number: int, seed: int, key: str) -> str:
    # As many as the pair had: a planted pair must not be told by its number of captions.
    chosen = random(seed, "caption", key).integers(len(corpus), size=number)
    return "\n".join(corpus[place] for place in chosen)


def _parse(spec: str) -> tuple[Attack, str, int]:
    name, _, rest = spec.partition(":")
    table = {attack.name: attack for attack in ATTACKS}
    if name not in table:
        raise BezoarError(f"No attack is named {name}.", nearest(name, list(table)))
    values = {}
    for part in filter(None, rest.split(",")):
        parameter, _, value = part.partition("=")
        if parameter not in _PARAMETERS:
            raise BezoarError(f"{name} has no parameter {parameter}.", nearest(parameter, list(_PARAMETERS)))
        values[parameter] = value
    target, count = values.get("target", ""), values.get("count", "")
    if not target or not count.isdigit() or int(count) < 1:
        raise BezoarError(
            f"{spec} does not say what to plant.", f"Write {name}:target=WORD,count=N with N of 1 or more."
        )
    return table[name], target, int(count)
