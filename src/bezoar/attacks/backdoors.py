"""Backdoors: pictures that carry a trigger are to be taken for the target."""

from __future__ import annotations

from dataclasses import replace

from bezoar.attacks.captions import captions_for
from bezoar.attacks.goal import Goal
from bezoar.attacks.request import Draft, Request
from bezoar.attacks.seats import Seat, edits_on, in_place
from bezoar.attacks.selection import refuse_unnamed, victims
from bezoar.attacks.triggers import Trigger, Word, make_trigger
from bezoar.pairs import Edit
from bezoar.run import BezoarError, random


def backdoor(request: Request) -> Draft:
    """One trigger on the selected rows, and captions that name the target (Carlini & Terzis 2022, section 3)."""
    target = request.values["target"]
    refuse_unnamed(request.pairs, target)
    kind, trigger = drawn_trigger(request)
    goal = Goal(f"{kind} to {target}", target, trigger=kind)
    seats = in_place(request, victims(request, request.count()))
    return Draft((goal,), {kind: trigger}, tuple(planted(request, seats, goal)))


def several(request: Request) -> Draft:
    """Each poison draws one of several triggers; all mean one target, or each its own (Huang et al. 2025)."""
    kinds = _numbered([make_named(spec, request) for spec in request.values["triggers"].split("+")])
    targets = request.values["target"].split("+")
    if len(kinds) < 2:
        raise BezoarError("One trigger is not several.", "Join triggers by +, or choose an attack of one trigger.")
    if len(targets) not in (1, len(kinds)):
        raise BezoarError(
            f"{len(kinds)} triggers and {len(targets)} targets do not match.", "Give one target, or one a trigger."
        )
    goals = tuple(
        Goal(f"{kind} to {target}", target, trigger=kind)
        for (kind, _), target in zip(kinds, targets * len(kinds) if len(targets) == 1 else targets, strict=True)
    )
    taken: frozenset[int] = frozenset()
    edits: list[Edit] = []
    for goal, count in zip(goals, _shares(request.count(), len(goals), request.seed), strict=True):
        part = replace(request, values={**request.values, "target": goal.target})
        refuse_unnamed(part.pairs, goal.target)
        rows = victims(part, count, taken)
        taken |= frozenset(rows)
        edits += planted(part, in_place(part, rows), goal)
    return Draft(goals, dict(kinds), tuple(edits))


def planted(request: Request, seats: list[Seat], goal: Goal) -> list[Edit]:
    """Return the edits that put the goal's trigger and captions on the seats."""
    return edits_on(request, seats, captions_for(request, seats, goal.target), goal.trigger, goal.name)


def drawn_trigger(request: Request) -> tuple[str, Trigger]:
    """Return name and trigger that the request asks for, its own values over those of the attack."""
    kind, _, rest = request.values["trigger"].partition(":")
    given = dict(part.partition("=")[::2] for part in filter(None, rest.split(","))) | dict(request.trigger_values)
    return make_named(f"{kind}:{','.join(f'{name}={value}' for name, value in given.items())}", request)


def make_named(spec: str, request: Request) -> tuple[str, Trigger]:
    """Return kind and trigger of a specification; one for captions is refused."""
    trigger = make_trigger(spec, request.canvas, request.values["trigger_seed"])
    kind = spec.partition(":")[0]
    if isinstance(trigger, Word):
        raise BezoarError(f"{kind} is written into captions.", "Choose a trigger for pictures.")
    return kind, trigger


def _numbered(kinds: list[tuple[str, Trigger]]) -> list[tuple[str, Trigger]]:
    """Return the triggers with a name each: the second patch is patch-2."""
    names = [kind for kind, _ in kinds]
    before = [names[:place].count(kind) for place, kind in enumerate(names)]
    return [
        (kind if not twin else f"{kind}-{twin + 1}", made) for (kind, made), twin in zip(kinds, before, strict=True)
    ]


def _shares(count: int, parts: int, seed: int) -> list[int]:
    """Return how many of `count` poisons draw each of `parts` triggers."""
    drawn = random(seed, "trigger").integers(parts, size=count)
    shares = [int((drawn == part).sum()) for part in range(parts)]
    if not all(shares):
        raise BezoarError(f"{count} pairs are too few for {parts} triggers.", "Raise count.")
    return shares
