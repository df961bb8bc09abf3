"""Where an added pair goes: where its key sorts if the set is sorted, by text or by number, else anywhere.

Sorted may be the set as a whole, or each shard by itself; then the shard is drawn.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.run import random


@dataclass(frozen=True)
class Place:
    """A place between two samples of one shard: before `row`, which may be the row after the last."""

    shard: int
    row: int


def places(
    keys: Sequence[str], shards: NDArray[np.int64], rows: NDArray[np.int64], new: Iterable[str], seed: int
) -> dict[str, Place]:
    """Return a place for each of the `new` keys, in the order in which they are to be inserted.

    `keys` are those of the set, in order, and lie in `shards` and `rows`, int64 (n,).
    """
    starts = [0, *(1 + np.flatnonzero(shards[1:] != shards[:-1])).tolist()]
    whole, each = [slice(0, len(keys))], [slice(*ends) for ends in zip(starts, [*starts[1:], len(keys)], strict=True)]
    orders: list[Callable[[str], Any]] = [str, _by_number]
    found = ((parts, order) for parts in (whole, each) for order in orders if _ascends(keys, parts, order))
    parts, order = next(found, (whole, None))
    chosen = {}
    for key in new if order is None else sorted(new, key=order):
        at = int(random(seed, "insert", key).integers(len(keys)))
        if order is not None:
            part = next(part for part in parts if at < part.stop)
            at = bisect_left(keys, order(key), part.start, part.stop, key=order)
            if at == part.stop or (at > part.start and _alike(keys[at - 1], key) > _alike(keys[at], key)):
                # Behind the one before it: where a shard's name stands in its keys, this is the right shard.
                chosen[key] = Place(int(shards[at - 1]), int(rows[at - 1]) + 1)
                continue
        chosen[key] = Place(int(shards[at]), int(rows[at]))
    return chosen


def _ascends(keys: Sequence[str], parts: list[slice], order: Callable[[str], Any]) -> bool:
    """Say whether the keys of every part stand in this order."""
    return all(before <= after for part in parts for before, after in pairwise(order(key) for key in keys[part]))


def _by_number(key: str) -> list[str | int]:
    """Return the key cut into text and numbers, in turn."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", key))]


def _alike(one: str, other: str) -> int:
    """Return how many letters two keys begin with together."""
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False)))
