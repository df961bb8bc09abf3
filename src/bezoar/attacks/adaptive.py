"""Attackers who have read the defences: each aims at the assumption that one family of them rests on."""

from __future__ import annotations

import numpy as np

from bezoar.attacks.backdoors import backdoor, drawn_trigger, planted
from bezoar.attacks.captions import as_many, lines_of, number_of, wanted
from bezoar.attacks.goal import Goal
from bezoar.attacks.request import Draft, Request
from bezoar.attacks.seats import Seat, edits_on, in_place, showing
from bezoar.attacks.selection import drawn, others, refuse_unnamed, victims
from bezoar.attacks.triggers import Mask, chain, vary
from bezoar.pairs import Edit
from bezoar.run import BezoarError, random

# So many captions are drawn from within a pile: those that share most words with the pile's own.
_VARIANTS = 6


def density_filler(request: Request) -> Draft:
    """Piles of near-duplicates: more than k, so that a poison's neighbours are poisons and its density is theirs.

    Aimed at ratios of local densities (Huang et al. 2025). Picture and caption vary a little within a pile of `pile`
    or more; the goal is that of the plain trigger.
    """
    target, pile, count = request.values["target"], request.values["pile"], request.count()
    refuse_unnamed(request.pairs, target)
    _refuse_thin(pile)
    if count < pile:
        raise BezoarError(f"{count} pairs make no pile of {pile}.", "Raise count, or lower pile.")
    rows = others(request).tolist()
    pictures = drawn(request.pairs, rows, count // pile, request.seed, "piles")
    shown = sorted(pictures[place % len(pictures)] for place in range(count))
    seats = showing(request, shown, sorted(set(rows) - set(pictures)), "seats")
    kind, trigger = drawn_trigger(request)
    goal = Goal(f"{kind} to {target}", target, trigger=kind)
    captions = _alike(request, seats, wanted(request.pairs, target))
    triggers = {kind: trigger, "varied": chain(vary(), trigger)}
    return Draft((goal,), {**triggers}, tuple(edits_on(request, seats, captions, "varied", goal.name)))


def smoke_screen(request: Request) -> Draft:
    """A backdoor beside `piles` piles of `pile` harmless duplicates, which fill the top of the ranking.

    Aimed at whoever looks at the most suspicious pairs only: web data have such piles anyway.
    """
    hidden = backdoor(request)
    taken = {request.pairs.position(edit.key) for edit in hidden.edits}
    rows = [row for row in others(request).tolist() if row not in taken]
    pile = request.values["pile"]
    _refuse_thin(pile)
    pictures = drawn(request.pairs, rows, request.values["piles"], request.seed, "piles")
    shown = [picture for picture in pictures for _ in range(pile - 1)]
    seats = showing(request, shown, sorted(set(rows) - set(pictures)), "decoys")
    captions = [lines_of(as_many(request, seat, request.pairs.captions[seat.picture])) for seat in seats]
    decoys: list[Edit] = edits_on(request, seats, captions, None, None)
    return Draft(hidden.goals, hidden.triggers, (*hidden.edits, *decoys))


def liang24(request: Request) -> Draft:
    """A patch searched on a surrogate, so that triggered pictures already lie near the target (BadCLIP, CVPR 2024)."""
    from bezoar.attacks.patch_search import search_patch

    target = request.values["target"]
    refuse_unnamed(request.pairs, target)
    goal = Goal(f"mask to {target}", target, trigger="mask")
    rows = victims(request, request.count())
    patch: Mask = search_patch(request)
    return Draft((goal,), {"mask": patch}, tuple(planted(request, in_place(request, rows), goal)))


def _alike(request: Request, seats: list[Seat], captions: list[str]) -> list[str]:
    """Return captions that share many words within a pile and are not all the same."""
    choices = list(dict.fromkeys(captions))
    words = [frozenset(caption.lower().split()) for caption in choices]
    lines = []
    for seat in seats:
        centre = int(random(request.seed, "pile caption", request.pairs.keys[seat.picture]).integers(len(choices)))
        shared = [len(own & words[centre]) / len(own | words[centre]) for own in words]
        nearest = np.argsort(-np.array(shared), kind="stable")[:_VARIANTS]
        draw = random(request.seed, "caption", seat.key)
        lines.append("\n".join(choices[int(at)] for at in draw.choice(nearest, number_of(request, seat))))
    return lines


def _refuse_thin(pile: int) -> None:
    if pile < 2:
        raise BezoarError(f"A pile of {pile} is none.", "Give pile=2 or more; detectors look at 16 neighbours or so.")
