"""Keys for added pairs that look like the set's own.

* A key is cut at whatever is no letter and no digit, and between letters and the number behind them. Parts that many
  keys share (a split, a shard, a class) are taken over from a key of the set; a pair's own parts are drawn anew.
* A number is drawn between numbers of the set that lie close together, so that it is as likely as they are. A set
  that is numbered without gaps has none free, and its new pairs take the numbers that follow the last.
* Another part of one length, such as a hash, takes at each place a letter that stands there in some key.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count as from_number
from itertools import pairwise

from numpy.random import Generator

from bezoar.run import random

Parts = tuple[str, ...]

_CUTS = re.compile(r"([^0-9A-Za-z]+)")
_NUMBERED = re.compile(r"([A-Za-z]+)(\d+)")
_TRIALS = 200
# A new number lies between those that come so many before and after some number of the set: a share of them all, so
# that their density is followed, and enough for a gap to be met as often as it is long.
_REACH_SHARE, _LEAST_REACH, _MOST_REACH = 0.02, 8, 500
# A gap of so many times the usual one is no gap: it lies between two groups of numbers.
_BREAK = 16


@dataclass(frozen=True)
class _Kind:
    """All keys with as many parts, a row a key: which columns are drawn anew, as numbers or letter by letter.

    `counted` maps the columns of numbers to the number of digits that all have, or 0; `numbers` holds the numbers of
    each, ascending, by what a key shares with others.
    """

    rows: list[Parts]
    counted: dict[int, int]
    lettered: list[int]
    numbers: dict[Parts, dict[int, list[int]]]

    def shared(self, row: Parts) -> Parts:
        """Return the parts of a key that are taken over."""
        return tuple(part for place, part in enumerate(row) if place not in (*self.counted, *self.lettered))


def new_keys(keys: Sequence[str], count: int, seed: int) -> list[str]:
    """Return `count` keys that are not in `keys`, at least one, and look like them."""
    kinds = _kinds(keys)
    shares = [len(kind.rows) / len(keys) for kind in kinds]
    taken, made, free, following = set(keys), list[str](), True, _following(keys)
    for number in range(count):
        draw = random(seed, "key", number)
        trials = (_redrawn(kinds[int(draw.choice(len(kinds), p=shares))], draw) for _ in range(_TRIALS * free))
        key = next((key for key in trials if key is not None and key not in taken), None)
        free = key is not None
        made.append(key or next(key for key in following if key not in taken))
        taken.add(made[-1])
    return made


def _kinds(keys: Sequence[str]) -> list[_Kind]:
    groups: dict[int, list[Parts]] = defaultdict(list)
    for key in keys:
        parts = tuple(_CUTS.split(key))
        groups[len(parts)].append(parts)
    return [_kind(_cut_numbers(rows)) for rows in groups.values()]


def _cut_numbers(rows: list[Parts]) -> list[Parts]:
    """Cut letters from the number behind them where the whole column is made so, with letters that repeat."""
    for place in reversed(range(len(rows[0]))):
        found = [_NUMBERED.fullmatch(row[place]) for row in rows]
        if all(found) and not _tells({match[1] for match in found if match}, rows):
            cut = [match.groups() for match in found if match]
            rows = [(*row[:place], *own, *row[place + 1 :]) for row, own in zip(rows, cut, strict=True)]
    return rows


def _kind(rows: list[Parts]) -> _Kind:
    columns = [{row[place] for row in rows} for place in range(len(rows[0]))]
    counted = [place for place, values in enumerate(columns) if all(value.isdecimal() for value in values)]
    lettered = [place for place, values in enumerate(columns) if place not in counted and _is_chance(values)]
    own = [place for place in (*counted, *lettered) if _tells(columns[place], rows)] or counted[-1:]
    lengths = {place: {len(value) for value in columns[place]} for place in counted if place in own}
    widths = {place: found.pop() if len(found) == 1 else 0 for place, found in lengths.items()}
    kind = _Kind(rows, widths, [place for place in lettered if place in own], {})
    for row in rows:
        columns_of = kind.numbers.setdefault(kind.shared(row), {place: [] for place in kind.counted})
        for place in kind.counted:
            columns_of[place].append(int(row[place]))
    for columns_of in kind.numbers.values():
        for values in columns_of.values():
            values.sort()
    return kind


def _tells(values: set[str], rows: list[Parts]) -> bool:
    """Say whether a column tells pairs apart, rather than groups of them."""
    return 2 * len(values) > len(rows)


def _is_chance(values: set[str]) -> bool:
    """Say whether a column looks drawn: of one length, with digits among the letters."""
    return len({len(value) for value in values}) == 1 and any(re.search(r"\d", value) for value in values)


def _redrawn(kind: _Kind, draw: Generator) -> str | None:
    """Return a key like one of the kind; None where the number that was drawn is taken, or nothing can be drawn."""
    like = kind.rows[int(draw.integers(len(kind.rows)))]
    parts = list(like)
    for place, width in kind.counted.items():
        number = _near(kind.numbers[kind.shared(like)][place], int(like[place]), draw)
        if number is None:
            return None
        parts[place] = str(number).zfill(width)
    for place in kind.lettered:
        others = draw.integers(len(kind.rows), size=len(like[place]))
        parts[place] = "".join(kind.rows[int(other)][place][at] for at, other in enumerate(others))
    return "".join(parts) if kind.counted or kind.lettered else None


def _near(numbers: list[int], like: int, draw: Generator) -> int | None:
    """Return a number around `like` that is not in `numbers`, ascending, or None."""
    reach = min(max(_LEAST_REACH, round(_REACH_SHARE * len(numbers))), _MOST_REACH)
    at = bisect_left(numbers, like)
    around = numbers[max(0, at - reach) : at + reach + 1]
    number = around[0] + int(draw.integers(min(around[-1] - around[0] + 1, 1 << 62)))
    after = bisect_left(around, number)
    if around[after] == number:
        return None
    steps = sorted(later - earlier for earlier, later in pairwise(around))
    return number if around[after] - around[after - 1] <= _BREAK * steps[len(steps) // 2] else None


def _following(keys: Sequence[str]) -> Iterator[str]:
    """Yield the numbers after the largest, in the style of the largest key."""
    last = max(keys, key=lambda key: [int(part) if part.isdecimal() else 0 for part in re.split(r"(\d+)", key)])
    found = list(re.finditer(r"\d+", last))
    before, digits, after = (
        (last[: found[-1].start()], found[-1][0], last[found[-1].end() :]) if found else (f"{last}-", "0", "")
    )
    for number in from_number(int(digits) + 1):
        yield before + str(number).zfill(len(digits)) + after
