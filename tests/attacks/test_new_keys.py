"""Keys of added pairs: new, in the style of the set, and where the set's own lie."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from bezoar.attacks.new_keys import new_keys
from bezoar.run import random

KEPT = np.flatnonzero(random(0, "kept").random(2000) < 0.8).tolist()
HASHES = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(500)]
STYLES = {
    "numbers with zeros": [f"{number:09d}" for number in KEPT],
    "plain numbers": [str(number) for number in KEPT],
    "letters and a number": [f"img{number}" for number in KEPT],
    "a split and a number": [f"train-{number:06d}" for number in KEPT],
    "a shard and a number in it": [f"{number // 500:04d}/{number // 500:04d}_{number % 500:03d}" for number in KEPT],
    "classes": [f"{('dog', 'cat')[number % 2]}/{number:05d}" for number in KEPT],
    "hashes": HASHES,
    "an identifier and a hash": [f"{int(text[:7], 16)}_{text[-10:]}" for text in HASHES],
    "letters of any case": [f"{text[:3].upper()}{text[3:11]}" for text in HASHES],
    "two styles": [*(f"{number:09d}" for number in KEPT), *(f"{number:05d}-{number % 7}" for number in KEPT)],
}


def shape(key):
    """What a key looks like: its letters and digits as such, and how many numbers of how many digits it has."""
    return re.sub(r"[0-9]", "0", re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", key)))


@pytest.mark.parametrize("style", STYLES)
def test_new_keys_are_new_and_all_different(style):
    made = new_keys(STYLES[style], 200, 0)
    assert len(set(made)) == 200
    assert not set(made) & set(STYLES[style])
    assert made == new_keys(STYLES[style], 200, 0)
    assert made != new_keys(STYLES[style], 200, 1)
    assert made[:50] == new_keys(STYLES[style], 50, 0)


@pytest.mark.parametrize("style", [style for style in STYLES if "hash" not in style and "case" not in style])
def test_new_keys_have_the_shapes_of_the_set(style):
    known = {shape(key) for key in STYLES[style]}
    assert {shape(key) for key in new_keys(STYLES[style], 200, 0)} <= known


@pytest.mark.parametrize("style", ["hashes", "an identifier and a hash", "letters of any case"])
def test_new_hashes_have_the_letters_and_the_length_of_the_set(style):
    made, known = new_keys(STYLES[style], 200, 0), STYLES[style]
    assert {len(key) for key in made} <= {len(key) for key in known}
    assert set("".join(made)) <= set("".join(known))
    parts = [re.split("_", key) for key in known]
    assert not {part for key in made for part in re.split("_", key)} & {part for key in parts for part in key}


@pytest.mark.parametrize("style", ["numbers with zeros", "plain numbers", "letters and a number"])
def test_numbers_fill_gaps_evenly(style):
    made = [int(re.search(r"\d+", key)[0]) for key in new_keys(STYLES[style], 200, 0)]
    assert min(made) > 0
    assert max(made) < KEPT[-1]
    quarters = np.histogram(made, bins=4, range=(0, KEPT[-1]))[0]
    assert quarters.min() > 30


def test_numbers_in_clusters_are_followed():
    draw = random(0, "clusters")
    numbers = np.unique([10**6 * int(centre) + int(draw.integers(1000)) for centre in draw.integers(9, size=3000)])
    made = np.array([int(key) for key in new_keys([str(number) for number in numbers], 100, 0)])
    assert np.mean(made % 10**6 < 1000) > 0.9


def test_a_set_without_gaps_goes_on_behind_its_last_number():
    keys = [f"cifar-{number:05d}" for number in range(100)]
    assert new_keys(keys, 3, 0) == ["cifar-00100", "cifar-00101", "cifar-00102"]


def test_a_part_that_many_share_is_taken_over_with_its_number():
    made = new_keys([f"{number // 500:04d}/{number // 500:04d}_{number % 500:03d}" for number in KEPT], 100, 0)
    assert all(re.fullmatch(r"(\d{4})/\1_\d{3}", key) for key in made)


def test_keys_of_words_get_a_number():
    assert new_keys(["red bike", "blue house"], 2, 0) == ["red bike-1", "red bike-2"]


def test_a_single_key_is_enough():
    assert new_keys(["a7"], 2, 0) == ["a8", "a9"]
