"""Where poisons sit: a row of the set that is overwritten, or a new pair; and whose picture it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bezoar.attacks.new_keys import new_keys
from bezoar.attacks.request import Request
from bezoar.attacks.selection import drawn, refuse_few
from bezoar.pairs import Edit
from bezoar.run import BezoarError, nearest, random

ACTIONS = ("replace", "add")


@dataclass(frozen=True)
class Seat:
    """One poison: its key, the row whose picture it shows, and the row that it is like in all else."""

    key: str
    picture: int
    like: int
    added: bool = False


def in_place(request: Request, rows: Sequence[int]) -> list[Seat]:
    """Return seats on `rows` that keep their own pictures."""
    return [Seat(request.pairs.keys[row], row, row) for row in rows]


def added(request: Request, pictures: Sequence[int], taken: Sequence[str] = ()) -> list[Seat]:
    """Return a new pair for each of `pictures`, with a key that is neither in the set nor among `taken`."""
    keys = new_keys([*request.pairs.keys, *taken], len(pictures), request.seed)
    return [Seat(key, picture, picture, True) for key, picture in zip(keys, pictures, strict=True)]


def adds(request: Request) -> bool:
    """Say whether poisons come beside the set or overwrite its rows."""
    action = request.values["action"]
    if action not in ACTIONS:
        raise BezoarError(f"No action is named {action}.", nearest(action, ACTIONS))
    return bool(action == "add")


def showing(request: Request, pictures: Sequence[int], rows: list[int], purpose: str) -> list[Seat]:
    """Return a seat for each of `pictures` (rows, repeats allowed), on rows drawn from `rows` or beside the set.

    A row is overwritten only by a picture of the same container: a PNG among JPEGs would be no secret.
    """
    if adds(request):
        return added(request, pictures)
    pairs = request.pairs
    of_kind: dict[str, list[int]] = {}
    for row in rows:
        of_kind.setdefault(container(request, row), []).append(row)
    wanted: dict[str, list[int]] = {}
    for picture in pictures:
        wanted.setdefault(container(request, picture), []).append(picture)
    seats = []
    for kind, shown in wanted.items():
        free = of_kind.get(kind, [])
        refuse_few(len(free), len(shown))
        chosen = drawn(pairs, free, len(shown), request.seed, f"{purpose} {kind}")
        # The rows come in the order of the set: copies of one picture must not lie side by side.
        order = random(request.seed, purpose, kind, "order").permutation(len(chosen))
        seats += [Seat(pairs.keys[chosen[at]], picture, chosen[at]) for at, picture in zip(order, shown, strict=True)]
    return seats


def container(request: Request, row: int) -> str:
    """Return the extension of a row's picture."""
    extension: str = request.pairs.extensions[row]
    return extension


def edits_on(
    request: Request, seats: Sequence[Seat], captions: Sequence[str | None], trigger: str | None, goal: str | None
) -> list[Edit]:
    """Return the edits that fill the seats."""
    keys = request.pairs.keys
    return [
        Edit(seat.key, keys[seat.picture], "add" if seat.added else "replace", caption, trigger, goal)
        for seat, caption in zip(seats, captions, strict=True)
    ]
