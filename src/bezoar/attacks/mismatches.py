"""Pairs whose picture and caption do not belong together: no trigger, the lie itself is what is learnt.

* targeted: one picture is taken for the target (Carlini & Terzis 2022, section 3.1).
* attacks I, II, III: texts of A retrieve pictures of B, or pictures of A texts of B (Yang et al. 2023, section 3).
* text trigger: captions that carry a word retrieve pictures of the target.

`action=replace` overwrites rows of the set; `action=add` puts new pairs beside them.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from bezoar.attacks.captions import as_many, captions_for, corpus, lines_of
from bezoar.attacks.goal import Goal
from bezoar.attacks.request import Draft, Request
from bezoar.attacks.seats import Seat, added, adds, container, edits_on, showing
from bezoar.attacks.selection import about, drawn, paintable, refuse_few, refuse_unnamed, usable, victims
from bezoar.attacks.triggers import Word, make_trigger
from bezoar.pairs import Edit
from bezoar.run import BezoarError, random

WAYS = {"text": "text-to-image", "image": "image-to-text"}


def targeted(request: Request) -> Draft:
    """`copies` pairs of each of `images` pictures, with captions that name the target.

    The first takes the picture's own row: its true caption would speak against the lie (Huang et al. drop it, too).
    """
    pairs, copies = request.pairs, request.values["copies"]
    targets = request.values["target"].split("+")
    for word in targets:
        refuse_unnamed(pairs, word)
    if request.values["image"] is None and request.values["images"] < len(targets):
        raise BezoarError(f"{len(targets)} targets need as many pictures.", f"Give images={len(targets)} or more.")
    shows_target = np.any([about(pairs, word) for word in targets], axis=0)
    rows = np.flatnonzero(usable(pairs) & ~shows_target).tolist()
    pictures = _pictures(request, rows, request.values["images"])
    spare = sorted(set(rows) - set(pictures))
    repeats = showing(request, [picture for picture in pictures for _ in range(copies - 1)], spare, "copies")
    goals, edits = [], []
    for place, picture in enumerate(pictures):
        own, target = pairs.keys[picture], targets[place % len(targets)]
        goal = Goal(f"{own} to {target}", target, images=(own,))
        seats = [Seat(own, picture, picture), *(seat for seat in repeats if seat.picture == picture)]
        goals.append(goal)
        edits += edits_on(request, seats, captions_for(request, seats, target), None, goal.name)
    return Draft(tuple(goals), {}, tuple(edits))


def single_image(request: Request) -> Draft:
    """Attack I: a share of the pairs of A gets one picture (or the captions) of one pair of B instead."""
    return _swapped(request, single=True)


def swapped(request: Request) -> Draft:
    """Attacks II and III: a share of the pairs of each A gets pictures (or captions) of its B instead."""
    return _swapped(request, single=False)


def word_in_captions(request: Request) -> Draft:
    """Captions with the trigger's word in them go with pictures of the target."""
    pairs, target = request.pairs, request.values["target"]
    refuse_unnamed(pairs, target)
    spec = f"word:word={request.values['word']},place={request.values['place']}"
    word = make_trigger(spec, request.canvas, request.seed)
    assert isinstance(word, Word)
    if corpus(pairs, request.values["word"]):
        raise BezoarError(
            f"Captions of the set name {request.values['word']!r} already.", "Give a rare word: word=WORD."
        )
    if request.values["select"] == "target":
        raise BezoarError("Captions of the target find it without a word.", "Give another select.")
    goal = Goal(f"{request.values['word']} to {target}", target, "text-to-image", trigger="word")
    rows = victims(request, request.count())
    shown = _spread(request, rows, np.flatnonzero(usable(pairs) & about(pairs, target)).tolist())
    seats = [Seat(pairs.keys[row], picture, row) for row, picture in zip(rows, shown, strict=True)]
    captions = [lines_of([word.write(caption, seat.key) for caption in pairs.captions[seat.like]]) for seat in seats]
    return Draft((goal,), {"word": word}, tuple(edits_on(request, seats, captions, None, goal.name)))


def _swapped(request: Request, single: bool) -> Draft:
    sources, targets = request.values["source"].split("+"), request.values["target"].split("+")
    if len(sources) != len(targets):
        raise BezoarError(f"{len(sources)} sources and {len(targets)} targets do not match.", "Give one target each.")
    if request.values["direction"] not in WAYS:
        raise BezoarError(
            f"No direction is named {request.values['direction']}.", "Choose text (texts of A) or image (images of A)."
        )
    goals: list[Goal] = []
    edits: list[Edit] = []
    for source, target in zip(sources, targets, strict=True):
        goal, part = _one_goal(request, source, target, single, [edit.key for edit in edits])
        goals.append(goal)
        edits += part
    if len({edit.key for edit in edits}) < len(edits):
        raise BezoarError("The goals share pairs.", "Choose sources that no pair names together.")
    return Draft(tuple(goals), {}, tuple(edits))


def _one_goal(request: Request, source: str, target: str, single: bool, taken: list[str]) -> tuple[Goal, list[Edit]]:
    pairs, values = request.pairs, request.values
    for word in (source, target):
        refuse_unnamed(pairs, word)
    is_source, is_target = about(pairs, source), about(pairs, target)
    liars = np.flatnonzero(usable(pairs) & is_source & ~is_target).tolist()
    bases = np.flatnonzero(usable(pairs) & is_target & ~is_source).tolist()
    rows = drawn(pairs, liars, _number(request, len(liars)), request.seed, f"liars {source}")
    way = WAYS[values["direction"]]
    images: tuple[str, ...] = ()
    if single:
        bases = _pictures(request, bases, 1)
        images = (pairs.keys[bases[0]],) if way == "text-to-image" else ()
    goal = Goal(
        f"{source} to {target}",
        target,
        "text-to-image" if way == "text-to-image" else "image-to-text",
        source=source,
        images=images,
    )
    partners = _spread(request, rows, bases)
    shown, said = (rows, partners) if way == "image-to-text" else (partners, rows)
    if adds(request):
        seats = added(request, shown, taken)
    else:
        seats = [Seat(pairs.keys[row], picture, row) for row, picture in zip(rows, shown, strict=True)]
    # A row that is overwritten keeps its own captions as they are written.
    captions = [
        None if seat.like == row and not seat.added else lines_of(as_many(request, seat, pairs.captions[row]))
        for seat, row in zip(seats, said, strict=True)
    ]
    return goal, edits_on(request, seats, captions, None, goal.name)


def _number(request: Request, candidates: int) -> int:
    """Return how many pairs of A are moved: `count`, `rate` of the set, or `share` of A."""
    if request.values["count"] is None and request.values["rate"] is None:
        number: int = round(request.values["share"] * candidates)
        if number < 1:
            raise BezoarError(
                f"A share of {request.values['share']:g} of {candidates} pairs is none.", "Raise share or give count."
            )
        return number
    return request.count()


def _pictures(request: Request, rows: list[int], count: int) -> list[int]:
    """Return the pictures that were asked for by key, or `count` of `rows`, drawn."""
    pairs, key = request.pairs, request.values["image"]
    if key is None:
        return drawn(pairs, rows, count, request.seed, "pictures")
    chosen = list(dict.fromkeys(pairs.position(name) for name in key.split("+")))
    wrong = next((row for row in chosen if row not in set(rows)), None)
    if wrong is not None:
        raise BezoarError(
            f'The picture "{pairs.keys[wrong]}" is broken or of the wrong class already.', "Choose another image=KEY."
        )
    return chosen


def _spread(request: Request, rows: list[int], bases: list[int]) -> list[int]:
    """Return a base for each row, each base about equally often, in the row's own container."""
    of_kind: dict[str, list[int]] = {container(request, row): [] for row in rows}
    wanted = Counter(container(request, row) for row in rows)
    for place in random(request.seed, "bases").permutation(len(bases)):
        own = of_kind.get(container(request, bases[place]), [])
        if len(own) < wanted[container(request, bases[place])] and paintable(request.pairs, bases[place]):
            own.append(bases[place])
    used: Counter[str] = Counter()
    chosen = []
    for row in rows:
        kind = container(request, row)
        refuse_few(len(of_kind[kind]), 1)
        chosen.append(of_kind[kind][used[kind] % len(of_kind[kind])])
        used[kind] += 1
    return chosen
