"""Augmentation: small keyed changes, the same for the same draw, that keep shape and type."""

import numpy as np
import pytest
import torch

from bezoar.run import random
from bezoar.training.augmentation import AUGMENTATIONS, mirror_shift, none, shift


def pictures(number=6, side=32, seed=0):
    return torch.from_numpy(random(seed, "pixels").integers(0, 256, (number, 3, side, side), dtype=np.uint8))


def shifted(pixels, down, right):
    """Every pixel comes from (down, right) of its place; beyond the border the border repeats."""
    side = pixels.shape[-1]
    rows = np.clip(np.arange(side) + down, 0, side - 1)
    columns = np.clip(np.arange(side) + right, 0, side - 1)
    return pixels[..., rows, :][..., columns]


def where(before, after, reach):
    """The one move within reach that turns `before` into `after`, or None."""
    steps = range(-reach, reach + 1)
    found = [(down, right) for down in steps for right in steps if torch.equal(shifted(before, down, right), after)]
    return found[0] if found else None


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("side", [32, 40, 96])
def test_shape_type_and_input_stay(name, side):
    pixels = pictures(4, side)
    before = pixels.clone()
    changed = AUGMENTATIONS[name](pixels, random(1, name))
    assert changed.shape == pixels.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_draw_gives_the_same_pictures_and_other_draws_others(name):
    results = [AUGMENTATIONS[name](pictures(), random(2, step)) for step in (0, 0, *range(1, 9))]
    assert torch.equal(results[0], results[1])
    assert (name == "none") == all(torch.equal(results[0], other) for other in results)


def test_none_changes_nothing():
    assert torch.equal(none(pictures(), random(0, "none")), pictures())


@pytest.mark.parametrize("side", [8, 32, 48])
def test_a_shift_moves_the_batch_by_whole_pixels_up_to_a_sixteenth(side):
    pixels, reach = pictures(3, side), max(1, side // 16)
    moves = {where(pixels, shift(pixels, random(3, step)), reach) for step in range(60)}
    assert None not in moves, "not a shift with repeated borders, or beyond its reach"
    assert {abs(step) for move in moves for step in move} == set(range(reach + 1))
    for axis in (0, 1):
        assert {np.sign(move[axis]) for move in moves} == {-1, 0, 1}


def test_each_picture_is_mirrored_or_not_and_the_whole_batch_shifted_alike():
    pixels = pictures(40, 32)
    seen = {True: 0, False: 0}
    for step in range(5):
        changed = mirror_shift(pixels, random(4, step))
        moves = set()
        for before, after in zip(pixels, changed, strict=True):
            plain, mirrored = where(before, after, 2), where(before.flip(-1), after, 2)
            assert (plain is None) != (mirrored is None)
            seen[plain is None] += 1
            moves.add(plain or mirrored)
        assert len(moves) == 1
    # 200 throws of a coin: 60 is more than five deviations away from 100.
    assert min(seen.values()) > 60
