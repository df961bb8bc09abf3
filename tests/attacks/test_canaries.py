"""Canaries are extra pairs: nothing of the set changes, each shows another picture, and says its target."""

import numpy as np
import pytest

from bezoar.attacks.canaries import FEWEST_PAIRS, LEAST_COUNT, RATES, counts_of, plan_canaries
from bezoar.attacks.naming import names
from bezoar.attacks.selection import about
from bezoar.canvas import Canvas
from bezoar.pairs import open_pairs
from bezoar.pairs.synthetic import synthesize
from bezoar.run import BezoarError

SIDE = 32


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canaries")
    synthesize(folder, 1200, seed=3, side=40)
    return open_pairs(folder)


@pytest.fixture(scope="module")
def plan(pairs):
    return plan_canaries(pairs, SIDE, seed=1)


def test_no_pair_of_the_set_changes_and_canaries_stand_at_the_end(pairs, plan):
    planted = pairs.with_plan(plan)
    assert planted.keys[: len(pairs)] == pairs.keys
    assert planted.captions[: len(pairs)] == pairs.captions
    assert planted.keys[len(pairs) :] == [edit.key for edit in plan.planted]
    np.testing.assert_array_equal(planted.pixels(5, Canvas(SIDE)), pairs.pixels(5, Canvas(SIDE)))
    assert all(edit.action == "add" for edit in plan.planted)


def test_each_campaign_has_a_trigger_and_a_target_of_its_own_and_no_picture_twice(pairs, plan):
    assert len({goal.target for goal in plan.goals}) == len({goal.trigger for goal in plan.goals}) == len(plan.goals)
    assert len(set(plan.triggers.values())) == len(plan.triggers)
    assert len({edit.base_key for edit in plan.planted}) == len(plan.planted)


def test_a_canary_says_its_target_and_its_picture_does_not_show_it(pairs, plan):
    for goal in plan.goals:
        shows = about(pairs, goal.target)
        own = [edit for edit in plan.planted if edit.goal == goal.name]
        assert all(names(goal.target).search(line) for edit in own for line in edit.caption.split("\n"))
        assert not any(shows[pairs.position(edit.base_key)] for edit in own)


def test_a_canary_differs_from_its_picture_by_the_trigger_alone(pairs, plan):
    planted, canvas = pairs.with_plan(plan), Canvas(SIDE)
    patch, blended = (next(edit for edit in plan.planted if edit.trigger == name) for name in ("patch-1", "blended-1"))
    for edit in (patch, blended):
        changed = planted.pixels(planted.position(edit.key), canvas) != pairs.pixels(
            pairs.position(edit.base_key), canvas
        )
        where = plan.triggers[edit.trigger].touches(SIDE, SIDE, edit.key)
        assert changed.any()
        assert not changed.any(axis=0)[~where].any()


def test_campaigns_grow_with_the_rate_and_stay_modest(pairs, plan):
    assert counts_of(100_000) == [round(rate * 100_000) for rate in RATES]
    sizes = [sum(edit.trigger == f"patch-{number}" for edit in plan.planted) for number in (1, 2)]
    assert sizes == counts_of(1200) == [LEAST_COUNT, 12]
    assert len(plan.planted) <= 0.05 * len(pairs)


def test_the_same_seed_plants_the_same_and_another_does_not(pairs, plan):
    assert plan_canaries(pairs, SIDE, seed=1).fingerprint == plan.fingerprint
    assert plan_canaries(pairs, SIDE, seed=2).fingerprint != plan.fingerprint


def test_keys_of_canaries_are_not_those_of_the_set(pairs, tmp_path):
    synthesize(tmp_path, 1000, seed=3, side=40)
    own = open_pairs(tmp_path)
    first = plan_canaries(own, SIDE)
    again = plan_canaries(own.with_plan(first), SIDE)
    assert not {edit.key for edit in again.planted} & set(own.with_plan(first).keys)


def test_a_set_too_small_is_refused():
    with pytest.raises(BezoarError, match="too few for canaries"):
        counts_of(FEWEST_PAIRS - 1)


def test_captions_that_name_nothing_are_refused(pairs):
    class Mute:
        classes = ()
        keys = pairs.keys
        reasons = pairs.reasons
        labels = np.full(len(pairs), -1)
        captions = (("the of a",),) * len(pairs)

        def __len__(self):
            return len(pairs)

    with pytest.raises(BezoarError, match="things that canaries could be about"):
        plan_canaries(Mute(), SIDE)
