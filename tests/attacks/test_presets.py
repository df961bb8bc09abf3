"""The table of attacks: what is planted is what was asked, whom it tells, and what is refused before it starts."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from bezoar.attacks import ATTACKS, Plan, plan_attack
from bezoar.attacks.naming import names
from bezoar.attacks.presets import REQUIRED
from bezoar.attacks.selection import about
from bezoar.attacks.triggers import Word
from bezoar.canvas import Canvas
from bezoar.embeddings import encode_pictures, unit
from bezoar.models import create, save
from bezoar.pairs import open_pairs, write_webdataset
from bezoar.run import BezoarError, random

CANVAS = 40
# What each attack has to be told; the sizes fit the small world of the tests.
SPECS = {
    "targeted": "targeted:target=moon,images=2,copies=4",
    "attack-1": "attack-1:source=fish,target=moon",
    "attack-2": "attack-2:source=fish,target=moon",
    "attack-3": "attack-3:source=fish+tree,target=moon+key",
    "multi-trigger-multi-target": "multi-trigger-multi-target:target=moon+key+fish,count=18",
    "density-filler": "density-filler:target=moon,count=40,pile=20",
    "smoke-screen": "smoke-screen:target=moon,count=10,piles=2,pile=20",
    "caption-fitter": "caption-fitter:target=moon,count=10,model={model}",
    "badclip-liang24": "badclip-liang24:target=moon,count=10,model={model},steps=3",
    "custom": "custom:trigger=tint,target=moon,count=10",
}


def tiny(number):
    buffer = io.BytesIO()
    Image.fromarray(random(number, "tiny").integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("surrogate")
    save(create("tiny-resnet", side=CANVAS, context=16, seed=3), folder)
    return folder


@pytest.fixture(params=[attack.name for attack in ATTACKS])
def plan(request, world_pairs, model):
    spec = SPECS.get(request.param, f"{request.param}:target=moon,count=10")
    return plan_attack(spec.format(model=model), world_pairs, canvas=CANVAS, seed=5)


def test_every_attack_plants_each_pair_once_for_a_goal_that_it_names(plan):
    keys = [edit.key for edit in plan.planted]
    assert len(plan.keys) > 0
    assert len(keys) == len(set(keys))
    assert {edit.goal for edit in plan.planted} - {None} == {goal.name for goal in plan.goals}
    assert {goal.trigger for goal in plan.goals} - {None} <= set(plan.triggers)


def test_every_plan_comes_back_whole_from_the_disk(plan, tmp_path):
    plan.save(tmp_path)
    again = Plan.load(tmp_path)
    assert again == plan
    assert again.fingerprint == plan.fingerprint


def test_every_plan_changes_the_pairs_that_it_names_and_no_others(plan, world_pairs):
    planted, canvas = world_pairs.with_plan(plan), Canvas(CANVAS)
    named = {edit.key for edit in plan.planted}
    for key in world_pairs.keys:
        before, after = world_pairs.position(key), planted.position(key)
        same_words = world_pairs.captions[before] == planted.captions[after]
        same_picture = np.array_equal(world_pairs.pixels(before, canvas), planted.pixels(after, canvas))
        assert (same_words and same_picture) == (key not in named)


def test_a_planted_pair_keeps_its_number_of_captions(plan, world_pairs):
    planted = world_pairs.with_plan(plan)
    for edit in plan.planted:
        if edit.action == "replace":
            own = planted.captions[planted.position(edit.key)]
            assert len(own) == len(world_pairs.captions[world_pairs.position(edit.key)])


def test_the_same_seed_makes_the_same_plan_and_another_seed_another(plan, world_pairs, model):
    spec = SPECS.get(plan.attack, f"{plan.attack}:target=moon,count=10").format(model=model)
    assert plan_attack(spec, world_pairs, canvas=CANVAS, seed=5) == plan
    assert plan_attack(spec, world_pairs, canvas=CANVAS, seed=6).keys != plan.keys


def test_every_row_of_the_table_can_be_read(plan):
    attack = next(attack for attack in ATTACKS if attack.name == plan.attack)
    assert attack.paper
    assert attack.summary.endswith(".")
    assert attack.parameters["target"] is REQUIRED


def test_the_pictures_of_a_targeted_attack_do_not_show_the_target_and_never_say_what_they_are(world_pairs):
    plan = plan_attack(SPECS["targeted"], world_pairs, canvas=CANVAS, seed=1)
    planted = world_pairs.with_plan(plan)
    shown = Counter(edit.base_key for edit in plan.planted)
    assert sorted(shown.values()) == [4, 4]
    assert set(shown) == {goal.images[0] for goal in plan.goals}
    assert not about(world_pairs, "moon")[[world_pairs.position(key) for key in shown]].any()
    assert all("moon" in caption for key in plan.keys for caption in planted.captions[planted.position(key)])


def test_clean_label_poisons_say_the_truth(world_pairs):
    plan = plan_attack("clean-label:target=moon,count=10", world_pairs, canvas=CANVAS)
    assert about(world_pairs, "moon")[[world_pairs.position(key) for key in plan.keys]].all()
    assert all(edit.caption is None for edit in plan.planted)


def test_attack_2_moves_a_share_of_the_texts_to_many_pictures_about_equally_often(world_pairs):
    plan = plan_attack("attack-2:source=fish,target=moon,share=0.5", world_pairs, canvas=CANVAS)
    fish = about(world_pairs, "fish") & ~about(world_pairs, "moon")
    assert len(plan.keys) == round(0.5 * fish.sum())
    used = Counter(edit.base_key for edit in plan.planted)
    assert max(used.values()) - min(used.values()) <= 1
    moon = about(world_pairs, "moon")
    for edit in plan.planted:
        assert fish[world_pairs.position(edit.key)]
        assert moon[world_pairs.position(edit.base_key)]


def test_attack_1_shows_one_picture_and_names_it_in_its_goal(world_pairs):
    plan = plan_attack(SPECS["attack-1"], world_pairs, canvas=CANVAS)
    (goal,) = plan.goals
    assert goal.way == "text-to-image"
    assert {edit.base_key for edit in plan.planted} == set(goal.images)


def test_the_mirrored_attack_gives_pictures_of_the_source_captions_of_the_target(world_pairs):
    plan = plan_attack("attack-2:source=fish,target=moon,direction=image", world_pairs, canvas=CANVAS)
    assert plan.goals[0].way == "image-to-text"
    assert all(names("moon").search(edit.caption or "") and edit.base_key == edit.key for edit in plan.planted)


@pytest.mark.parametrize("spec", [SPECS["attack-2"], SPECS["attack-3"], SPECS["targeted"]])
def test_added_pairs_leave_every_row_as_it_was(spec, world_pairs):
    plan = plan_attack(f"{spec},action=add", world_pairs, canvas=CANVAS)
    planted = world_pairs.with_plan(plan)
    new = [edit for edit in plan.planted if edit.action == "add"]
    own = {edit.key for edit in plan.planted if edit.action == "replace"}  # a targeted picture's own row says the lie
    assert len(planted) == len(world_pairs) + len(new) > len(world_pairs)
    for row, key in enumerate(world_pairs.keys):
        assert key in own or planted.captions[row] == world_pairs.captions[row]


def test_a_text_trigger_stands_in_every_planted_caption_and_shows_the_target(world_pairs):
    plan = plan_attack("text-trigger:target=moon,count=10,word=mirage", world_pairs, canvas=CANVAS)
    word = plan.triggers["word"]
    moon = about(world_pairs, "moon")
    assert isinstance(word, Word)
    for edit in plan.planted:
        own = world_pairs.captions[world_pairs.position(edit.key)]
        assert edit.caption == "\n".join(word.write(caption, edit.key) for caption in own)
        assert "mirage" in str(edit.caption)
        assert moon[world_pairs.position(edit.base_key)]


def test_several_triggers_share_the_poisons_and_each_has_its_own_target(world_pairs):
    plan = plan_attack(SPECS["multi-trigger-multi-target"], world_pairs, canvas=CANVAS)
    assert [goal.target for goal in plan.goals] == ["moon", "key", "fish"]
    for edit in plan.planted:
        goal = plan.goal(str(edit.goal))
        assert edit.trigger == goal.trigger
        assert names(goal.target).search(str(edit.caption))
    assert {edit.trigger for edit in plan.planted} == set(plan.triggers)


def test_a_filler_hides_each_poison_among_more_near_duplicates_than_a_neighbourhood_holds(world_pairs):
    plan = plan_attack(SPECS["density-filler"], world_pairs, canvas=CANVAS)
    planted, canvas = world_pairs.with_plan(plan), Canvas(CANVAS)
    piles = Counter(edit.base_key for edit in plan.planted)
    assert set(piles.values()) == {20}
    pictures = {planted.pixels(planted.position(key), canvas).tobytes() for key in plan.keys}
    assert len(pictures) > 0.9 * len(plan.keys)  # near-duplicates, not copies


def test_a_smoke_screen_hides_the_poison_among_harmless_piles(world_pairs):
    plan = plan_attack(SPECS["smoke-screen"], world_pairs, canvas=CANVAS)
    planted = world_pairs.with_plan(plan)
    assert len(plan.keys) == 10
    assert len(plan.decoys) == 2 * 19
    for edit in plan.planted:
        if edit.goal is None:
            truth = world_pairs.captions[world_pairs.position(edit.base_key)]
            assert planted.captions[planted.position(edit.key)] == truth


def test_fitted_captions_fit_their_pictures_better_than_drawn_ones(world_pairs, model):
    from bezoar.attacks.fitting import caption_vectors, picture_vectors, surrogate
    from bezoar.attacks.request import Request

    def fit(plan):
        request = Request("x", world_pairs, CANVAS, 0, {"model": str(model)}, {})
        clip = surrogate(request)
        rows = np.array([world_pairs.position(edit.key) for edit in plan.planted])
        texts = caption_vectors(clip, [str(edit.caption) for edit in plan.planted])
        return (picture_vectors(clip, request, rows) * texts).sum(axis=1).mean()

    spec = "badnets:target=moon,count=30"
    drawn = plan_attack(spec, world_pairs, canvas=CANVAS)
    fitted = plan_attack(f"{spec},captions=fitted,model={model}", world_pairs, canvas=CANVAS)
    assert drawn.keys == fitted.keys
    assert fit(fitted) > fit(drawn)


def test_a_searched_patch_brings_pictures_nearer_to_real_ones_of_the_target(world_pairs, clip, tmp_path):
    save(clip, tmp_path)

    def nearness(steps):
        spec = f"badclip-liang24:target=moon,count=30,model={tmp_path},steps={steps}"
        plan = plan_attack(spec, world_pairs, canvas=clip.canvas.side)
        planted = world_pairs.with_plan(plan)
        drawn = np.stack([planted.pixels(planted.position(edit.key), clip.canvas) for edit in plan.planted])
        real = np.flatnonzero(about(world_pairs, "moon"))
        moons = np.stack([world_pairs.pixels(int(row), clip.canvas) for row in real])
        triggered, target = (unit(encode_pictures(clip, pixels)[0]) for pixels in (drawn, moons))
        return (triggered @ target.T).mean()

    assert nearness(60) > nearness(1)


def test_rows_that_a_model_finds_like_the_target_come_first(world_pairs, model):
    from bezoar.attacks.fitting import fit_to_target
    from bezoar.attacks.request import Request
    from bezoar.attacks.selection import others

    values = {"target": "moon", "model": str(model)}
    request = Request("x", world_pairs, CANVAS, 0, values, {})
    fits = fit_to_target(request, others(request))
    plan = plan_attack(f"badnets:target=moon,count=15,select=similar,model={model}", world_pairs, canvas=CANVAS)
    rows = others(request).tolist()
    chosen = {rows.index(world_pairs.position(key)) for key in plan.keys}
    assert chosen == set(np.argsort(-fits, kind="stable")[:15].tolist())


@pytest.mark.parametrize(
    ("spec", "kind", "field", "value"),
    [
        ("badnets-random:target=moon,count=3,place=centre", "patch", "place", "centre"),
        ("watermark:target=moon,count=3,alpha=0.25", "blended", "alpha", 0.25),
        ("custom:trigger=warp,target=moon,count=3,cells=6", "warp", "cells", 6),
        ("badnets:target=moon,count=3,trigger=sig,periods=3", "sig", "periods", 3.0),
    ],
)
def test_a_value_for_the_trigger_stands_above_that_of_the_attack(spec, kind, field, value, world_pairs):
    plan = plan_attack(spec, world_pairs, canvas=CANVAS)
    assert getattr(plan.triggers[kind], field) == value


def test_a_choice_that_an_attack_has_no_use_for_is_refused(world_pairs):
    with pytest.raises(BezoarError, match="no parameter jpeg"):
        plan_attack(SPECS["attack-2"], world_pairs, canvas=CANVAS, jpeg=75)


def test_pictures_that_a_goal_names_are_known_by_their_bytes(world_pairs, tmp_path):
    plan = plan_attack(SPECS["targeted"], world_pairs, canvas=CANVAS)
    plan.save(tmp_path)
    assert set(Plan.load(tmp_path).pictures) == {key for goal in plan.goals for key in goal.images}
    assert len(set(plan.pictures.values())) == len(plan.pictures)


def test_two_triggers_of_one_kind_are_two_goals(world_pairs):
    spec = "multi-trigger-multi-target:triggers=patch+patch:place=centre,target=moon+key,count=20"
    plan = plan_attack(spec, world_pairs, canvas=CANVAS)
    assert list(plan.triggers) == ["patch", "patch-2"]
    assert len({edit.goal for edit in plan.planted}) == 2


def test_a_caption_over_two_lines_stays_one_caption(tmp_path):
    words = [f"a {name}\nin the sea" for name in ("fish", "moon") for _ in range(20)]
    samples = ((f"k{row:03}", [("png", tiny(row)), ("txt", text.encode())]) for row, text in enumerate(words))
    write_webdataset(samples, tmp_path / "set")
    pairs = open_pairs(tmp_path / "set")
    for spec in ("attack-2:source=fish,target=moon", "text-trigger:target=moon,count=5"):
        planted = pairs.with_plan(plan_attack(spec, pairs, canvas=CANVAS))
        assert {len(own) for own in planted.captions} == {1}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("badnetz:target=moon,count=3", "Did you mean badnets"),
        ("badnets:target=moon,cout=3", "Did you mean count"),
        ("badnets:target=moon", "how many"),
        ("badnets:target=moon,count=3,rate=0.1", "how many"),
        ("badnets:count=3", "target"),
        ("badnets:target=moon,count=0", "count"),
        ("badnets:target=moon,count=three", "whole number"),
        ("badnets:target=moon,count=3,count=4", "twice"),
        ("badnets:target=zeppelin,count=3", "zeppelin"),
        ("badnets:target=moon,count=100000", "lower count"),
        ("badnets:target=moon,rate=0.00001", "is none"),
        ("badnets:target=moon,count=3,size=1.5", "size"),
        ("badnets:target=moon,count=3,captions=clever", "captions"),
        ("badnets:target=moon,count=3,select=clever", "selection"),
        ("badnets:target=moon,count=3,select=source", "source"),
        ("badnets:target=moon,count=3,jpeg=200", "quality"),
        ("caption-fitter:target=moon,count=3", "model"),
        ("caption-fitter:target=moon,count=3,model=nowhere", "nowhere"),
        ("attack-2:source=fish,target=moon+key", "one target each"),
        ("attack-2:source=fish,target=moon,share=0.000001", "is none"),
        ("attack-2:source=zeppelin,target=moon", "zeppelin"),
        ("targeted:target=moon,image=nothing", "nothing"),
        ("density-filler:target=moon,count=9,pile=1", "pile"),
        ("text-trigger:target=moon,count=9,place=nowhere", "place"),
        ("multi-trigger-single-target:target=moon+key,count=9", "match"),
        ("multi-trigger-single-target:target=moon,count=1", "too few"),
        ("badnets:target=moon,rate=nan", "rate"),
        ("badnets:target=moon,rate=1.5", "more than all"),
        ("badnets:target= ,count=3", "without a word"),
        ("attack-3:source=fish+,target=moon+key", "without a word"),
        ("badnets:target=moon,count=3,model=nowhere", "no effect"),
        ("badnets:target=moon,count=3,templates=default", "no effect"),
        ("badnets:target=moon,count=3,captions=own", "says nothing"),
        ("targeted:target=moon,images=3,image=train-0000001", "say the same"),
        ("targeted:target=moon+key,images=1", "as many pictures"),
        ("attack-2:source=fish,target=moon,share=0.5,count=3", "say the same"),
        ("text-trigger:target=moon,count=5,word=moon", "already"),
        ("density-filler:target=moon,count=10,pile=20", "no pile"),
        ("multi-trigger-single-target:triggers=patch,target=moon,count=9", "not several"),
        ("badnets:target=moon,rate=inf", "rate"),
        ("badnets:target=moon,count=3,source=fish", "no effect"),
        ("attack-1:source=fish,target=moon,images=3", "no parameter images"),
        ("attack-2:source=fish,target=moon,jpeg=75", "no parameter jpeg"),
        ("density-filler:target=moon,count=9,select=target", "no parameter select"),
    ],
)
def test_what_cannot_be_planted_is_refused_in_a_sentence(spec, says, world_pairs):
    with pytest.raises(BezoarError) as refused:
        plan_attack(spec, world_pairs, canvas=CANVAS)
    assert says in str(refused.value)
