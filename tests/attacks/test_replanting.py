"""The same attack on other pairs: what it draws, what it says, where it stands."""

import numpy as np
import pytest

from bezoar.attacks import plan_attack
from bezoar.attacks.replanting import replanted
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError


@pytest.fixture
def halves(world):
    pairs = open_pairs(world)
    return pairs.select(range(200)), pairs.select(range(200, 400))


def test_poisons_stand_on_other_pairs_draw_the_plans_trigger_and_say_its_target(halves):
    first, second = halves
    plan = plan_attack("badnets:target=moon,count=9", first, canvas=40)
    again = replanted(plan, second, 20)
    assert len(again.planted) == len(again.keys) == 20
    assert again.keys <= set(second.keys)
    assert (again.goals, again.triggers) == (plan.goals, plan.triggers)
    assert {edit.caption for edit in again.planted} <= {edit.caption for edit in plan.planted}
    poisoned = second.with_plan(again)
    for edit in again.planted:
        place = second.position(edit.key)
        assert second.classes[second.labels[place]] != "moon"
        assert "moon" not in second.captions[place][0]
        assert "moon" in poisoned.captions[place][0]


def test_fewer_poisons_are_the_first_of_more(halves):
    first, second = halves
    for attack in (
        "badnets:target=moon,count=9",
        "multi-trigger-multi-target:target=moon+star+tree,count=30",
    ):
        plan = plan_attack(attack, first, canvas=40)
        assert replanted(plan, second, 5).planted == replanted(plan, second, 20).planted[:5]


def test_another_seed_plants_elsewhere(halves):
    first, second = halves
    plan = plan_attack("badnets:target=moon,count=9", first, canvas=40)
    assert replanted(plan, second, 20).keys != replanted(plan, second, 20, seed=1).keys


def test_clean_label_poisons_stand_on_the_target_and_keep_their_captions(halves):
    first, second = halves
    plan = plan_attack("clean-label:target=moon,count=5", first, canvas=40)
    again = replanted(plan, second, 5)
    labels = [second.labels[second.position(key)] for key in again.keys]
    assert {second.classes[label] for label in labels} == {"moon"}
    assert {edit.caption for edit in again.planted} == {None}


def test_several_goals_take_turns(halves):
    first, second = halves
    plan = plan_attack("multi-trigger-multi-target:target=moon+star+tree,count=30", first, canvas=40)
    again = replanted(plan, second, 9)
    assert np.unique([edit.goal for edit in again.planted], return_counts=True)[1].tolist() == [3, 3, 3]


def test_more_poisons_than_there_is_room_for_are_refused(halves):
    first, second = halves
    plan = plan_attack("clean-label:target=moon,count=5", first, canvas=40)
    with pytest.raises(BezoarError, match="has room for"):
        replanted(plan, second, 199)


@pytest.mark.parametrize(
    "attack",
    ["targeted:target=moon,images=3,copies=2", "attack-2:target=moon,source=star", "text-trigger:target=moon,count=5"],
)
def test_a_plan_without_a_trigger_on_pictures_is_refused(halves, attack):
    first, second = halves
    with pytest.raises(BezoarError, match="no trigger on pictures"):
        replanted(plan_attack(attack, first, canvas=40), second, 5)
