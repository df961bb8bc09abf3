"""Added pairs go where their keys sort, in the right shard, and anywhere in a set without order."""

from __future__ import annotations

import numpy as np
import pytest

from bezoar.pairs.placing import Place, places


def laid_out(keys, per_shard=4):
    numbers = np.arange(len(keys))
    return keys, numbers // per_shard, numbers % per_shard


def with_new(keys, new, seed=0, per_shard=4):
    """The keys of each shard once `new` are in it."""
    keys, shards, rows = laid_out(keys, per_shard)
    found = places(keys, shards, rows, new, seed)
    out = []
    for shard in range(int(shards.max()) + 1):
        own = [keys[place] for place in np.flatnonzero(shards == shard)]
        lines = []
        for row in range(len(own) + 1):
            lines += [key for key, place in found.items() if place == Place(shard, row)]
            lines += own[row : row + 1]
        out.append(lines)
    assert sum(map(len, out)) == len(keys) + len(new)
    return out


@pytest.mark.parametrize(
    ("keys", "new"),
    [
        ([f"{number:03d}" for number in range(0, 60, 3)], ["031", "000a", "059", "032"]),
        ([str(number) for number in range(0, 60, 3)], ["7", "59", "100", "8"]),
        ([f"img{number}.5" for number in range(0, 60, 3)], ["img7.5", "img100.5", "img1.5"]),
    ],
)
def test_a_sorted_set_stays_sorted(keys, new):
    flat = [key for own in with_new(keys, new) for key in own]
    number = [int("".join(filter(str.isdigit, key))) for key in flat]
    assert flat == sorted(flat) or number == sorted(number)
    assert set(flat) == {*keys, *new}


def test_where_keys_name_the_shard_the_new_one_lies_in_it():
    keys = [f"{shard:02d}-{row}" for shard in range(3) for row in range(4)]
    assert with_new(keys, ["00-9", "01-9", "02-9", "01-+"]) == [
        [*keys[:4], "00-9"],
        ["01-+", *keys[4:8], "01-9"],
        [*keys[8:], "02-9"],
    ]


def test_shards_that_are_sorted_one_by_one_stay_so():
    keys = [*"bdfh", *"aceg", *"cmxz"]
    found = [with_new(keys, ["k"], seed) for seed in range(30)]
    assert all(own == sorted(own) for shards in found for own in shards)
    assert {next(number for number, own in enumerate(shards) if "k" in own) for shards in found} == {0, 1, 2}


def test_in_a_set_without_order_a_pair_goes_anywhere():
    keys = [f"{number * 7919 % 1000:03d}" for number in range(1, 41)]
    spots = {
        tuple(place for shards in [with_new(keys, ["xyz"], seed)] for place in map(len, shards)) for seed in range(60)
    }
    assert len(spots) == 10
    assert with_new(keys, ["xyz"], 3) == with_new(keys, ["xyz"], 3)


def test_the_order_of_other_new_pairs_does_not_move_a_pair():
    keys, shards, rows = laid_out([f"{number * 7919 % 1000:03d}" for number in range(1, 41)])
    both = places(keys, shards, rows, ["x", "y"], 0)
    assert places(keys, shards, rows, ["y"], 0) == {"y": both["y"]}
