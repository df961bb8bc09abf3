from __future__ import annotations

import io
import os
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bezoar.canvas import Canvas
from bezoar.pairs import Edit, UnreadablePair, open_pairs, reasons
from bezoar.run import BezoarError

CANVAS = Canvas(8)


@dataclass(frozen=True)
class Plan:
    """A plan that adds a number to the first pixel."""

    made: tuple[Edit, ...]
    fingerprint: str = "plan"

    def edits(self):
        return self.made

    def draw(self, pixels, edit):
        pixels = pixels.copy()
        pixels[:, 0, 0] = int(edit.trigger)
        return pixels


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tar, picture) -> Path:
    folder = tmp_path_factory.mktemp("set")
    for shard in range(3):
        members = []
        for i in range(shard * 4, shard * 4 + 4):
            members += [
                (f"k{i}.png", picture(i)),
                (f"k{i}.txt", b"caption %d" % i),
                (f"k{i}.cls", b"%d" % (i % 3)),
            ]
        tar(folder / f"{shard}.tar", members)
    return folder


def facts(pairs):
    pixels = [pairs.pixels(i, CANVAS).tobytes() for i in range(len(pairs))]
    read = [pairs.read(i) for i in range(len(pairs))]
    assert [pair.key for pair in read] == pairs.keys
    assert [pair.captions for pair in read] == pairs.captions
    return (
        pairs.keys,
        pairs.captions,
        pairs.labels.tolist(),
        pairs.shards,
        pairs.rows.tolist(),
        pairs.reasons,
        pixels,
    )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_select_of_select_is_one_select(folder, data) -> None:
    pairs = open_pairs(folder)
    first = data.draw(st.lists(st.integers(0, 11), min_size=1))
    second = data.draw(st.lists(st.integers(0, len(first) - 1)))
    twice = pairs.select(first).select(np.array(second, int))
    once = pairs.select([first[i] for i in second])
    assert twice.fingerprint == once.fingerprint
    assert facts(twice) == facts(once)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_plan_and_select_commute_for_the_edits_inside(folder, data) -> None:
    pairs = open_pairs(folder)
    chosen = data.draw(st.lists(st.integers(0, 11), unique=True, min_size=1))
    keys = data.draw(st.lists(st.integers(0, 11), unique=True))
    caption = st.one_of(st.none(), st.just("planted"))
    trigger = st.one_of(st.none(), st.just("200"))
    edits = tuple(
        Edit(f"k{i}", f"k{data.draw(st.integers(0, 11))}", "replace", data.draw(caption), data.draw(trigger))
        for i in keys
    )
    names = {f"k{i}" for i in chosen}
    inside = tuple(edit for edit in edits if edit.key in names and edit.base_key in names)
    outside = pairs.with_plan(Plan(inside)).select(chosen)
    assert facts(outside) == facts(pairs.select(chosen).with_plan(Plan(inside)))
    assert outside.fingerprint == pairs.select(chosen).with_plan(Plan(inside)).fingerprint


def test_what_a_plan_does(folder) -> None:
    pairs = open_pairs(folder)
    plan = Plan(
        (
            Edit("k1", "k1", "replace", "a banana", "9"),
            Edit("k2", "k2", "replace", None, "8"),
            Edit("new", "k5", "add", "a banana", "7"),
            Edit("bare", "k6", "add"),
        )
    )
    planted = pairs.with_plan(plan)
    assert planted.keys == [*pairs.keys, "new", "bare"]
    assert planted.captions[1] == ("a banana",)
    assert planted.captions[2] == pairs.captions[2]
    assert planted.captions[12:] == [("a banana",), ("caption 6",)]
    assert planted.labels.tolist()[12:] == [2, 0]
    assert planted.shards[12:] == ["", ""]
    assert planted.rows.tolist()[11:] == [3, -1, -1]
    assert [planted.pixels(i, CANVAS)[0, 0, 0] for i in (1, 2, 12)] == [9, 8, 7]
    assert planted.read(12).image == pairs.read(5).image
    assert (planted.pixels(13, CANVAS) == pairs.pixels(6, CANVAS)).all()
    assert pairs.captions[1] == ("caption 1",), "a view is immutable"
    assert len({pairs.fingerprint, planted.fingerprint, pairs.with_plan(Plan(plan.made, "b")).fingerprint}) == 3


@pytest.mark.parametrize("edit", [Edit("no", "k1", "replace"), Edit("k1", "no", "replace"), Edit("k3", "k1", "add")])
def test_a_plan_for_another_set_is_an_error(folder, edit) -> None:
    with pytest.raises(BezoarError):
        open_pairs(folder).with_plan(Plan((edit,)))


def test_a_mask_selects_as_its_positions(folder) -> None:
    pairs = open_pairs(folder)
    mask = np.arange(12) % 5 == 1
    assert facts(pairs.select(mask)) == facts(pairs.select(np.flatnonzero(mask)))
    with pytest.raises(ValueError, match="mask"):
        pairs.select(mask[1:])
    with pytest.raises(IndexError):
        pairs.select([12])
    assert len(pairs.select([])) == 0
    assert pairs.select([]).captions == []


def test_pickling_carries_no_table_and_gives_the_same_view(folder) -> None:
    pairs = open_pairs(folder).select([5, 1]).with_plan(Plan((Edit("k1", "k5", "replace", "x", "3"),)))
    before = facts(pairs)
    blob = pickle.dumps(pairs)
    assert len(blob) < 3000
    again = pickle.loads(blob)
    assert facts(again) == before
    assert again.fingerprint == pairs.fingerprint


def test_threads_and_processes_read_the_same_bytes(folder) -> None:
    pairs = open_pairs(folder)
    expected = [pairs.read(i) for i in range(12)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(pairs.read, list(range(12)) * 20)) == expected * 20
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(pairs.read, range(12))) == expected


def bomb() -> bytes:
    out = io.BytesIO()
    Image.new("1", (30_000, 3_000)).save(out, "png")  # 90 megapixels, one bit each
    blob = bytearray(out.getvalue())
    blob[16:20] = (60_000).to_bytes(4, "big")
    import zlib

    blob[29:33] = zlib.crc32(blob[12:29]).to_bytes(4, "big")
    return bytes(blob)


def test_bad_pictures_have_short_reasons(tmp_path, tar, picture) -> None:
    whole = picture(1, "jpeg", (64, 64))
    bad = {"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2], "bomb": bomb(), "svg": b"<svg/>"}
    members = [(f"{key}.{x}", data) for key, blob in bad.items() for x, data in (("jpg", blob), ("txt", b"t"))]
    tar(tmp_path / "0.tar", members)
    pairs = open_pairs(tmp_path)
    found = {}
    for i, key in enumerate(pairs.keys):
        with pytest.raises(UnreadablePair) as caught:
            pairs.pixels(i, CANVAS)
        found[key] = str(caught.value)
    unknown = reasons.NOT_A_PICTURE
    assert found == {
        "empty": unknown,
        "text": unknown,
        "svg": unknown,
        "cut": reasons.DAMAGED_PICTURE,
        "bomb": reasons.TOO_LARGE,
    }


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), edits=st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), max_size=5))
@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "gif", "bmp"])
@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_are_unreadable_or_a_picture(picture, form, cut, edits) -> None:
    from bezoar.pairs.picture import draw

    blob = bytearray(picture(1, form))
    for place, value in edits:
        blob[place % len(blob)] = value
    try:
        drawn = draw(bytes(blob[: len(blob) - cut]), CANVAS)
    except UnreadablePair:
        return
    assert drawn.shape == (3, 8, 8)


def test_a_shard_that_changes_under_an_open_view_is_noticed(tmp_path, tar, picture) -> None:
    path = tar(tmp_path / "0.tar", [("a.png", picture(1)), ("a.txt", b"a")])
    pairs = open_pairs(tmp_path)
    assert pairs.changed() == []
    os.utime(path, ns=(1, 1))
    assert pairs.changed() == ["0.tar"]
    with pytest.raises(UnreadablePair, match="changed"):
        pairs.read(0)
    path.unlink()
    assert pairs.changed() == ["0.tar"]
