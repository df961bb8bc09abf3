"""The triggers that a trigger is compared with are of its kind and strength, differ, and are not it."""

import numpy as np
import pytest

from bezoar.attacks.triggers import make_trigger
from bezoar.evaluation.controls import CONTROLS, Shuffled, other_triggers
from bezoar.run import random

SEEDED = ("patch", "patch:pattern=noise", "patch:place=random", "blended", "warp")
FIXED = ("patch:pattern=dots", "patch:pattern=dots,place=random", "patch:pattern=yellow", "sig", "nashville", "tint")


def picture(side=48):
    return random(0, "picture").integers(30, 220, (3, side, side), dtype=np.uint8)


@pytest.mark.parametrize("spec", [*SEEDED, *FIXED, "blended:pattern=text", "blended:pattern=triangles", "chain"])
def test_controls_touch_only_what_they_may_and_differ_from_the_trigger_and_each_other(spec):
    trigger = make_trigger(spec, 48, 0)
    others, _ = other_triggers(trigger, 48, seed=1)
    drawn = [other.draw(picture(), "k") for other in [trigger, *others]]
    assert len(others) == CONTROLS
    distinct = {one.tobytes() for one in drawn}
    if spec != "patch:pattern=yellow":  # one colour remains one colour, wherever its pixels go
        assert len(distinct) == CONTROLS + 1
    for other, pixels in zip(others, drawn[1:], strict=True):
        assert np.array_equal(pixels[:, ~other.touches(48, 48, "k")], picture()[:, ~other.touches(48, 48, "k")])
        assert other.fits(48)
        assert np.array_equal(other.draw(picture(), "k"), pixels)


@pytest.mark.parametrize("spec", SEEDED)
def test_a_pattern_that_is_drawn_gets_other_seeds(spec):
    others, what = other_triggers(make_trigger(spec, 48, 0), 48, seed=1)
    assert {type(other) for other in others} == {type(make_trigger(spec, 48, 0))}
    assert "other seeds" in what


@pytest.mark.parametrize("spec", FIXED)
def test_a_pattern_that_no_seed_changes_is_shuffled(spec):
    """With dots at random places another seed changes the places alone: that would be the same backdoor."""
    others, what = other_triggers(make_trigger(spec, 48, 0), 48, seed=1)
    assert {type(other) for other in others} == {Shuffled}
    assert "shuffled" in what


COVERING = [spec for spec in FIXED if spec.startswith("patch")]


@pytest.mark.parametrize("spec", sorted(set(FIXED) - set(COVERING)))
def test_shuffling_keeps_the_change_and_moves_it(spec):
    trigger, flat = make_trigger(spec, 48, 0), np.full((3, 48, 48), 127, np.uint8)
    before, after = trigger.draw(flat, "k"), Shuffled(trigger, 5).draw(flat, "k")
    for channel in range(3):
        assert np.array_equal(np.sort(before[channel], axis=None), np.sort(after[channel], axis=None))


@pytest.mark.parametrize("spec", COVERING)
def test_the_control_of_a_patch_is_another_patch_the_same_on_every_picture(spec):
    trigger = make_trigger(spec, 48, 0)
    control, where = Shuffled(trigger, 5), trigger.touches(48, 48, "k")
    dark, light = (control.draw(np.full((3, 48, 48), level, np.uint8), "k") for level in (10, 240))
    assert np.array_equal(dark[:, where], light[:, where])
    assert not np.array_equal(dark[:, where], trigger.draw(picture(), "k")[:, where])
    colours = {tuple(pixel) for pixel in trigger.draw(picture(), "k")[:, where].T}
    assert len({tuple(pixel) for pixel in dark[:, where].T}) == len(colours)
