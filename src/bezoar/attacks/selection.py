"""Which pairs are planted: rows of the set by what they name, drawn at random or by a score.

* A pair is about a thing if a caption names it or its label does (`attacks/naming.py`).
* Only pairs whose picture decodes and can be written back are drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.naming import names
from bezoar.attacks.painting import can_be_painted
from bezoar.attacks.request import Request
from bezoar.pairs import Pairs, UnreadablePair
from bezoar.run import BezoarError, fingerprint, nearest, random

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


def about(pairs: Pairs, word: str) -> Mask:
    """Return which pairs name `word` in a caption or by their label, bool (n,)."""
    finds = names(word).search
    by_caption = np.array([any(finds(caption) for caption in own) for own in pairs.captions], bool)
    classes = np.array([bool(finds(name)) for name in pairs.classes] + [False])  # label -1 is the last
    return np.asarray(by_caption | classes[np.where(pairs.labels < len(pairs.classes), pairs.labels, -1)])


def refuse_unnamed(pairs: Pairs, word: str) -> None:
    """Raise BezoarError where no caption and no class names `word`."""
    if not about(pairs, word).any():
        raise BezoarError(f"No caption and no class names {word!r}.", "Choose a word that the captions name.")


def usable(pairs: Pairs) -> Mask:
    """Return which pairs the index knows no fault of, bool (n,)."""
    return np.array([reason is None for reason in pairs.reasons], bool)


def others(request: Request) -> Rows:
    """Rows that have nothing to do with the target (Carlini & Terzis 2022, section 3)."""
    return np.flatnonzero(usable(request.pairs) & ~about(request.pairs, request.values["target"]))


def target(request: Request) -> Rows:
    """Rows of the target itself: their caption stays true (clean label)."""
    return np.flatnonzero(usable(request.pairs) & about(request.pairs, request.values["target"]))


def source(request: Request) -> Rows:
    """Rows that name `source` and not the target."""
    word = request.values["source"]
    if word is None:
        raise BezoarError("select=source needs to know which rows.", "Give source=WORD, a word or a class.")
    refuse_unnamed(request.pairs, word)
    pairs = request.pairs
    return np.flatnonzero(usable(pairs) & about(pairs, word) & ~about(pairs, request.values["target"]))


def similar(request: Request) -> Rows:
    """Rows that have nothing to do with the target, those first whose pictures `model` finds most like its texts."""
    from bezoar.attacks.fitting import fit_to_target

    rows = others(request)
    return np.asarray(rows[np.argsort(-fit_to_target(request, rows), kind="stable")])


SELECTIONS: dict[str, Callable[[Request], Rows]] = {
    "others": others,
    "target": target,
    "source": source,
    "similar": similar,
}
RANKED = frozenset({"similar"})


def victims(request: Request, count: int, taken: frozenset[int] = frozenset()) -> list[int]:
    """Return the rows to be planted, ascending: `count` of the selection, none of `taken`."""
    name = request.values["select"]
    if name not in SELECTIONS:
        raise BezoarError(f"No selection is named {name}.", nearest(name, list(SELECTIONS)))
    rows = [int(row) for row in SELECTIONS[name](request) if int(row) not in taken]
    if name in RANKED:
        return sorted(first(request.pairs, rows, count))
    return drawn(request.pairs, rows, count, request.seed, "victims")


def first(pairs: Pairs, rows: list[int], count: int) -> list[int]:
    """Return the first `count` of `rows` that can be painted."""
    chosen: list[int] = []
    for row in rows:
        if len(chosen) == count:
            break
        if paintable(pairs, row):
            chosen.append(row)
    refuse_few(len(chosen), count)
    return chosen


def drawn(pairs: Pairs, rows: list[int], count: int, seed: int, purpose: str) -> list[int]:
    """Draw `count` of `rows`, ascending; where some cannot be painted, draw again without them."""
    while True:
        refuse_few(len(rows), count)
        places = random(seed, purpose).choice(len(rows), count, replace=False)
        chosen = sorted(rows[place] for place in places)
        broken = {row for row in chosen if not paintable(pairs, row)}
        if not broken:
            return chosen
        rows = [row for row in rows if row not in broken]


def refuse_few(found: int, count: int) -> None:
    """Raise BezoarError where fewer rows were found than asked for."""
    if found < count:
        raise BezoarError(
            f"{count} pairs were asked for, and {found} can be planted: the others name something else or are broken.",
            "Ask for fewer: lower count, rate or share, or the number and size of piles.",
        )


def picture_digest(pairs: Pairs, key: str) -> str:
    """Return a digest of the bytes of a pair's picture."""
    return fingerprint(hashlib.sha256(pairs.read(pairs.position(key)).image).hexdigest())


def paintable(pairs: Pairs, row: int) -> bool:
    """Say whether the picture of a row decodes and can be written back."""
    try:
        return can_be_painted(pairs.read(row).image)
    except UnreadablePair:
        return False
