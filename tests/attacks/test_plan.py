"""Plans: what is planted is what was asked, the same on the canvas and on the disk, in training and in test."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from bezoar.attacks import Plan, plan_attack
from bezoar.attacks.painting import paint
from bezoar.attacks.triggers import Patch, Tint, describe, restore
from bezoar.canvas import Canvas
from bezoar.run import BezoarError, random

SPEC = "badnets:target=moon,count=12"


@pytest.fixture
def plan(world_pairs):
    return plan_attack(SPEC, world_pairs, canvas=40, seed=1)


def test_as_many_pairs_as_asked_are_planted_and_none_shows_the_target(plan, world_pairs):
    moon = world_pairs.classes.index("moon")
    assert len(plan.planted) == len(plan.keys) == 12
    assert all(world_pairs.labels[world_pairs.position(key)] != moon for key in plan.keys)
    assert [goal.target for goal in plan.goals] == ["moon"]


def test_every_planted_caption_is_a_real_caption_of_the_target(plan, world_pairs):
    corpus = {caption for own in world_pairs.captions for caption in own if "moon" in caption}
    assert all(edit.caption in corpus and "moon" in edit.caption for edit in plan.planted)


def test_the_same_seed_makes_the_same_plan_and_another_seed_another(plan, world_pairs):
    assert plan_attack(SPEC, world_pairs, canvas=40, seed=1).fingerprint == plan.fingerprint
    assert plan_attack(SPEC, world_pairs, canvas=40, seed=2).keys != plan.keys


def test_a_saved_plan_comes_back_whole(plan, tmp_path):
    plan.save(tmp_path)
    again = Plan.load(tmp_path / "plan.json")
    assert again == plan
    assert again.fingerprint == plan.fingerprint


def test_a_lazy_plan_changes_the_planted_pairs_and_no_other(plan, world_pairs):
    canvas = Canvas(40)
    planted = world_pairs.with_plan(plan)
    for position, key in enumerate(world_pairs.keys):
        before, after = world_pairs.pixels(position, canvas), planted.pixels(position, canvas)
        assert (key in plan.keys) == bool((before != after).any())
        assert (key in plan.keys) == (world_pairs.captions[position] != planted.captions[position])


@pytest.mark.parametrize("trigger", [Patch.on_canvas(40), Patch.on_canvas(64, size=0.2, seed=3), Tint()])
def test_a_trigger_is_deterministic_and_comes_back_from_its_description(trigger):
    pixels = random(0, "pixels").integers(0, 256, (3, 40, 40), dtype=np.uint8)
    before = pixels.copy()
    drawn = trigger.draw(pixels, "a")
    assert np.array_equal(pixels, before)
    assert drawn.shape == pixels.shape
    assert drawn.dtype == np.uint8
    assert np.array_equal(drawn, trigger.draw(pixels, "b"))
    assert np.array_equal(drawn, restore(describe(trigger)).draw(pixels, "a"))


@pytest.mark.parametrize("side", [32, 40, 48, 96, 224])
def test_the_patch_changes_exactly_its_box(side):
    trigger = Patch.on_canvas(side)
    pixels = np.full((3, side, side), 127, np.uint8)
    top, left, height, width = trigger.box(side, side)
    changed = (trigger.draw(pixels, "k") != pixels).any(axis=0)
    assert changed[top : top + height, left : left + width].all()
    assert changed.sum() == height * width
    assert top + height == left + width == side - 1
    assert height == max(5, round(0.125 * side))


def test_a_patch_keeps_its_share_of_a_larger_picture():
    trigger = Patch.on_canvas(32)
    assert trigger.box(32, 32)[2] * 3 == trigger.box(96, 96)[2]


def test_a_canvas_too_small_for_the_trigger_is_refused(plan, world_pairs):
    planted = world_pairs.with_plan(plan)
    with pytest.raises(BezoarError, match="too small on 24 px"):
        planted.pixels(planted.position(next(iter(plan.keys))), Canvas(24))


def encoded(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("JPEG", {"quality": 62, "subsampling": 1, "dpi": (72, 72)}), ("WEBP", {"quality": 80})],
)
def test_painting_keeps_container_size_mode_and_tables(kind, options):
    picture = Image.fromarray(random(1, "photo").integers(0, 256, (70, 90, 3), dtype=np.uint8))
    source = encoded(picture, kind, **options)
    painted = Image.open(io.BytesIO(paint(source, Patch.on_canvas(40), Canvas(40), "k")))
    original = Image.open(io.BytesIO(source))
    assert (painted.format, painted.size, painted.mode) == (original.format, original.size, original.mode)
    assert getattr(painted, "quantization", None) == getattr(original, "quantization", None)
    assert getattr(painted, "layer", None) == getattr(original, "layer", None)


def test_painting_a_lossless_picture_changes_only_what_the_canvas_shows():
    picture = Image.fromarray(random(1, "photo").integers(0, 256, (70, 90, 3), dtype=np.uint8))
    painted = Image.open(io.BytesIO(paint(encoded(picture, "PNG"), Tint(), Canvas(40), "k")))
    changed = np.flatnonzero((np.asarray(painted) != np.asarray(picture)).any(axis=(0, 2)))
    left, _, width, _ = Canvas(40).window(90, 70)
    assert changed.min() >= round(left)
    assert changed.max() < round(left) + round(width)


@pytest.mark.parametrize("side", [32, 40, 48])
def test_a_painted_picture_shows_the_patch_on_the_canvas(side):
    grey = Image.new("RGB", (120, 80), (127, 127, 127))
    trigger, canvas = Patch.on_canvas(side), Canvas(side)
    shown = canvas.draw(paint(encoded(grey, "PNG"), trigger, canvas, "k")).astype(int)
    wanted = trigger.draw(np.full((3, side, side), 127, np.uint8), "k").astype(int)
    top, left, height, width = trigger.box(side, side)
    patch = (slice(None), slice(top, top + height), slice(left, left + width))
    assert np.corrcoef(shown[patch].ravel(), wanted[patch].ravel())[0, 1] > 0.9
    assert np.abs(shown[:, : top - 3, : left - 3] - 127).max() == 0


DAMAGE = {
    "a goal about a number": ("goals", [{"name": "g", "target": 5, "way": "image-to-text", "images": []}]),
    "a way that is none": ("goals", [{"name": "g", "target": "moon", "way": "sideways", "images": []}]),
    "images that are a text": ("goals", [{"name": "g", "target": "moon", "way": "image-to-text", "images": "abc"}]),
    "no goal": ("goals", []),
    "no trigger": ("triggers", {}),
    "a canvas that is a text": ("canvas", "32"),
    "a quality beyond all": ("jpeg", 500),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_plan_is_refused_in_a_sentence(what, plan, tmp_path):
    plan.save(tmp_path)
    name, value = DAMAGE[what]
    head = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps({**head, name: value}))
    with pytest.raises(BezoarError):
        Plan.load(tmp_path)
