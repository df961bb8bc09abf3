from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
from itertools import combinations, pairwise

import numpy as np
import pytest
from PIL import Image

from bezoar.pairs import open_pairs
from bezoar.pairs.prompts import fill
from bezoar.pairs.synthetic import OBJECTS, PROMPTS, describe, paint, synthesize
from bezoar.pairs.synthetic.captions import TEMPLATES
from bezoar.pairs.synthetic.scenes import SCENES, scenes
from bezoar.pairs.synthetic.shapes import fields
from bezoar.pairs.synthetic.world import COLOURS, SIZES, TEXTURES, paint_all

MANY = 3000


@pytest.fixture(scope="module")
def things():
    return [describe(0, number) for number in range(MANY)]


def said_words(thing) -> list[str]:
    return re.findall(r"[a-z-]+", thing.said)


def members(folder) -> dict[str, bytes]:
    """Every member of every shard, as tarfile gives it."""
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as archive:
            found |= {info.name: archive.extractfile(info).read() for info in archive}
    return found


# One pair: seed, split and number, nothing else


def test_fewer_pairs_are_the_first_of_more(tmp_path) -> None:
    synthesize(tmp_path / "few", 70, seed=4, per_shard=33)
    synthesize(tmp_path / "more", 300, seed=4, per_shard=128)
    few, more = members(tmp_path / "few"), members(tmp_path / "more")
    assert len(few) == 3 * 70
    assert list(more)[: len(few)] == list(few)
    assert all(more[name] == data for name, data in few.items())


def test_the_side_changes_the_pixels_only(tmp_path) -> None:
    for side in (24, 40, 96):
        synthesize(tmp_path / str(side), 20, seed=1, side=side)
    small, usual, large = (members(tmp_path / str(side)) for side in (24, 40, 96))
    for name in usual:
        if not name.endswith(".png"):
            assert small[name] == usual[name] == large[name]
        else:
            assert [Image.open(io.BytesIO(found[name])).size[0] for found in (small, usual, large)] == [24, 40, 96]


def test_the_same_picture_at_every_side(things) -> None:
    for thing in things[:60]:
        halved = paint(thing, 80).reshape(3, 40, 2, 40, 2).mean(axis=(2, 4))
        assert np.abs(halved - paint(thing, 40)).mean() < 20
    others = paint_all(things[1:61], 40).astype(float)
    apart = np.abs(others - paint_all(things[:60], 40)).mean(axis=(1, 2, 3))
    assert np.median(apart) > 40  # the bound above would not hold for the wrong picture


@pytest.mark.parametrize("side", [17, 40, 96])
def test_painting_together_is_painting_alone(things, side) -> None:
    some = things[:300]  # more than one batch
    together = paint_all(some, side)
    assert together.shape == (300, 3, side, side)
    assert together.dtype == np.uint8
    for thing, pixels in zip(some, together, strict=True):
        assert np.array_equal(paint(thing, side), pixels)
    assert np.array_equal(paint_all(some[::-1], side), together[::-1])


def test_two_processes_make_the_same_files(tmp_path) -> None:
    program = "import sys; from bezoar.pairs.synthetic import synthesize; synthesize(sys.argv[1], 40, seed=9)"
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "there")], check=True)
    synthesize(tmp_path / "here", 40, seed=9)
    there, here = (
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / name).iterdir()}
        for name in ("there", "here")
    )
    assert there == here
    assert len(here) == 3


def test_splits_and_seeds_share_no_picture() -> None:
    drawn = [
        [pixels.tobytes() for pixels in paint_all([describe(seed, n, split) for n in range(1000)], 40)]
        for seed, split in ((0, "train"), (0, "test"), (1, "train"))
    ]
    assert len({pixels for pictures in drawn for pixels in pictures}) == 3000


# What a caption says


def test_a_caption_names_its_own_class_and_no_other(things) -> None:
    for thing in things:
        assert [word for word in said_words(thing) if word in OBJECTS] == [thing.object]


def test_a_caption_says_nothing_false(things) -> None:
    for thing in things:
        words = set(said_words(thing))
        for values, own in ((COLOURS, thing.colour), (SIZES, thing.size), (TEXTURES, thing.texture)):
            # "green" is also a word of the meadow's phrase.
            elsewhere = set(SCENES[thing.scene].split())
            assert words & set(values) <= {own} | elsewhere
        for scene, phrase in SCENES.items():
            assert phrase not in thing.said or scene == thing.scene


def test_articles_agree(things) -> None:
    for thing in things:
        for word, following in pairwise(said_words(thing)):
            if word in ("a", "an"):
                assert (word == "an") == (following[0] in "aeiou")
    for name in OBJECTS:
        for template in PROMPTS:
            text = fill(template, name)
            assert re.search(rf"\b{'an' if name == 'arrow' else 'a'} {name}\b", text)


def test_twelve_templates_each_name_the_thing_once() -> None:
    assert len(set(TEMPLATES)) == len(TEMPLATES) == 12
    assert all(template.count("{thing}") == template.count("{place}") == 1 for template in TEMPLATES)


def within(count: int, trials: int, share: float) -> bool:
    """Whether a binomial count lies within four and a half standard deviations of its mean."""
    return abs(count - trials * share) <= 4.5 * np.sqrt(trials * share * (1 - share))


@pytest.mark.parametrize(("part", "share"), [("size", 0.35), ("colour", 0.4), ("texture", 0.5), ("scene", 0.4)])
def test_attributes_are_named_as_often_as_said(things, part, share) -> None:
    if part == "scene":
        named = sum(SCENES[thing.scene] in thing.said for thing in things)
    else:
        # What stands before the object; a scene's phrase comes after it.
        named = sum(getattr(thing, part) in thing.said.split(thing.object)[0].split() for thing in things)
    assert within(named, len(things), share)


@pytest.mark.parametrize(
    ("part", "values"), [("object", OBJECTS), ("size", SIZES), ("texture", TEXTURES), ("scene", SCENES)]
)
def test_every_value_is_as_frequent_as_the_next(things, part, values) -> None:
    for value in values:
        assert within(sum(getattr(thing, part) == value for thing in things), len(things), 1 / len(values))
    assert {thing.colour for thing in things} == set(COLOURS)


# What a picture shows


def test_no_colour_vanishes_in_its_scene(things) -> None:
    means = dict(zip(SCENES, scenes(96).mean(axis=(1, 2)), strict=True))
    for thing in things:
        assert np.linalg.norm(np.array(COLOURS[thing.colour]) - means[thing.scene]) > 90


def test_an_outline_parts_the_thing_from_its_scene(things) -> None:
    """Along a row through a plain ball, a line darker (at night lighter) than both sides is crossed twice."""
    balls = [thing for thing in things if thing.object == "ball" and thing.texture == "plain"]
    assert len(balls) > 30
    for ball in balls:
        row = paint(ball, 96)[:, round(ball.centre[1] * 96)].astype(float)
        line = (240, 240, 232) if ball.scene in ("night sky", "forest") else (24, 24, 28)
        like_line = np.linalg.norm(row - np.array(line)[:, None], axis=0) < 12
        middle, radius = ball.centre[0] * 96, SIZES[ball.size] * 0.95 * 96
        for edge in (middle - radius, middle + radius):
            near = like_line[max(0, int(edge) - 4) : int(edge) + 5]
            assert near.any()


def test_nearly_all_of_every_thing_is_in_the_picture(things) -> None:
    """Rotated and moved at worst, at most an eighth of a thing lies beyond the border."""
    reach = 1.7  # the fields cover ±reach
    axis = (np.arange(fields().shape[1]) + 0.5) / fields().shape[1] * 2 * reach - reach
    x, y = np.meshgrid(axis, axis)
    for thing in things[:600]:
        inside = fields()[OBJECTS.index(thing.object)] < 0
        u, v = x[inside] * (-1 if thing.mirrored else 1), y[inside]
        cos, sin = np.cos(thing.turned), np.sin(thing.turned)
        radius = SIZES[thing.size]
        across = thing.centre[0] + radius * (cos * u - sin * v)
        down = thing.centre[1] + radius * (sin * u + cos * v)
        shown = (across > 0) & (across < 1) & (down > 0) & (down < 1)
        assert shown.mean() > 0.875


def silhouette(thing, side: int) -> np.ndarray:
    """Where the shape of a thing lies, point by point of the picture: mirrored, then turned, then moved."""
    axis = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid((axis - thing.centre[0]) / SIZES[thing.size], (axis - thing.centre[1]) / SIZES[thing.size])
    cos, sin = np.cos(-thing.turned), np.sin(-thing.turned)
    u, v = cos * x - sin * y, sin * x + cos * y
    shape = fields()[OBJECTS.index(thing.object)]
    column, row = (
        np.clip(np.rint((w / 1.7 + 1) / 2 * len(shape) - 0.5), 0, len(shape) - 1).astype(int) for w in (u, v)
    )
    return shape[row, len(shape) - 1 - column if thing.mirrored else column] < 0


def test_a_plain_thing_has_its_colour_where_its_shape_is(things) -> None:
    plain = [thing for thing in things if thing.texture == "plain"][:150]
    assert {thing.object for thing in plain} == set(OBJECTS)
    for thing in plain:
        filled = np.abs(paint(thing, 96).astype(float) - np.array(COLOURS[thing.colour])[:, None, None]).max(0) < 3
        shape = silhouette(thing, 96)
        assert (filled & shape).sum() / shape.sum() > 0.8  # all but the soft border
        # Beyond the shape only what the scene or the outline has of the same colour.
        if thing.colour not in ("white", "black"):
            assert (filled & ~shape).sum() < 0.03 * shape.sum()


def test_no_two_silhouettes_are_alike() -> None:
    shapes = fields() < 0
    for first, second in combinations(range(len(OBJECTS)), 2):
        for other in (shapes[second], shapes[second][:, ::-1]):
            both, either = shapes[first] & other, shapes[first] | other
            assert both.sum() / either.sum() < 0.85, (OBJECTS[first], OBJECTS[second])


# What is written


def test_shards_hold_what_they_should(tmp_path) -> None:
    synthesize(tmp_path, 25, seed=2, split="test", per_shard=10)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00000.tar",
        "00001.tar",
        "00002.tar",
        "classes.json",
        "prompts.txt",
    ]
    assert json.loads((tmp_path / "classes.json").read_text()) == list(OBJECTS)
    assert (tmp_path / "prompts.txt").read_text().splitlines() == list(PROMPTS)
    found = members(tmp_path)
    assert list(found) == [f"test-{n:07d}.{kind}" for n in range(25) for kind in ("png", "txt", "cls")]
    for number in range(25):
        key, thing = f"test-{number:07d}", describe(2, number, "test")
        assert found[f"{key}.txt"].decode() == thing.said
        assert OBJECTS[int(found[f"{key}.cls"])] == thing.object
        with Image.open(io.BytesIO(found[f"{key}.png"])) as picture:
            assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (40, 40))
            assert np.array_equal(np.asarray(picture).transpose(2, 0, 1), paint(thing, 40))


def test_what_is_written_opens_as_pairs(tmp_path) -> None:
    synthesize(tmp_path, 30, seed=2, per_shard=20)
    pairs = open_pairs(tmp_path)
    drawn = [describe(2, number) for number in range(30)]
    assert pairs.classes == OBJECTS
    assert pairs.labels.tolist() == [OBJECTS.index(thing.object) for thing in drawn]
    assert pairs.captions == [(thing.said,) for thing in drawn]
    assert not pairs.faults


def test_the_room_needs_no_torch() -> None:
    program = "import sys, bezoar.pairs.synthetic; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
