"""Poisoning: what lies on the disk is what training draws lazily, and nothing else has changed."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from bezoar.attacks import Goal, Plan, plan_attack
from bezoar.attacks.triggers import Patch
from bezoar.canvas import Canvas
from bezoar.jobs.poison import poison
from bezoar.pairs import Edit, open_pairs, write_webdataset
from bezoar.run import BezoarError

SPEC = "badnets:target=moon,count=9"


@pytest.fixture(scope="module")
def planted(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("poisoned")
    poison(world, to=folder, attack=SPEC, canvas=40, seed=2)
    return folder


def members(folder):
    """Header fields and bytes of every member, by shard and name, in order."""
    found = {}
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as archive:
            for info in archive:
                header = (info.size, info.mtime, info.mode, info.uid, info.uname, info.type)
                found[shard.name, info.name] = (header, archive.extractfile(info).read())
    return found


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_disk_holds_what_the_plan_draws_lazily(world, planted):
    written, plan = open_pairs(planted), Plan.load(planted)
    lazy = open_pairs(world).with_plan(plan)
    canvas = Canvas(40)
    assert written.keys == lazy.keys
    assert written.captions == lazy.captions
    assert written.labels.tolist() == lazy.labels.tolist()
    for place in range(len(lazy)):
        assert np.array_equal(written.pixels(place, canvas), lazy.pixels(place, canvas)), lazy.keys[place]


KINDS = (
    "targeted:target=moon,images=3,copies=4",
    "targeted:target=moon,images=3,copies=4,action=add",
    "attack-1:source=star,target=moon",
    "attack-2:source=star,target=moon,direction=image",
    "attack-2:source=star,target=moon,action=add",
    "attack-3:source=star+heart,target=moon+fish",
    "text-trigger:target=moon,count=9",
    "clean-label:target=moon,count=9",
    "multi-trigger-multi-target:target=moon+star+fish,count=12",
    "density-filler:target=moon,count=12,pile=4",
    "density-filler:target=moon,count=12,pile=4,action=add",
    "smoke-screen:target=moon,count=6,piles=2,pile=5",
    "blended:target=moon,count=9,captions=templates,templates=default,jpeg=60",
)


@pytest.mark.parametrize("spec", KINDS)
def test_every_kind_of_plan_is_on_the_disk_what_it_is_lazily(world, tmp_path, spec):
    answer = poison(world, to=tmp_path / "out", attack=spec, canvas=40, seed=3)
    plan, source, written = Plan.load(tmp_path / "out"), open_pairs(world), open_pairs(tmp_path / "out")
    lazy, canvas = source.with_plan(plan), Canvas(40)
    assert sorted(written.keys) == sorted(lazy.keys)
    assert [key for key in written.keys if key in source.positions] == source.keys
    for place, key in enumerate(lazy.keys):
        there = written.position(key)
        assert written.captions[there] == lazy.captions[place], key
        assert written.labels[there] == lazy.labels[place], key
        assert np.array_equal(written.pixels(there, canvas), lazy.pixels(place, canvas)), key
    for edit in plan.planted:
        if edit.trigger is None:
            base = source.read(source.position(edit.base_key))
            assert written.read(written.position(edit.key)).image == base.image, "the picture's own bytes"
    untouched = set(source.keys) - {edit.key for edit in plan.planted}
    before, after = members(world), members(tmp_path / "out")
    assert {name: before[name] for name in before if name[1].partition(".")[0] in untouched}.items() <= after.items()
    told = {name: answer.summary[name] for name in ("pairs", "planted", "poisons", "decoys", "added")}
    assert told == {
        "pairs": len(lazy),
        "planted": len(plan.planted),
        "poisons": len(plan.keys),
        "decoys": len(plan.decoys),
        "added": len(lazy) - len(source),
    }
    poison(world, to=tmp_path / "again", plan=tmp_path / "out")
    assert members(tmp_path / "again") == after


def test_what_keeps_its_captions_keeps_the_file_they_stand_in(world, tmp_path):
    poison(world, to=tmp_path, attack="clean-label:target=moon,count=9", canvas=40)
    before, after = members(world), members(tmp_path)
    changed = {name for _, name in before if before[_, name] != after[_, name]}
    assert len(changed) == 9
    assert all(name.endswith(".png") for name in changed)


def test_the_three_choices_one_by_one_are_an_attack(world, tmp_path):
    choices = {"captions": "templates", "templates": "default", "select": "source", "source": "star", "rate": 0.02}
    poison(world, to=tmp_path, trigger="patch:size=0.2,place=centre", target="moon", canvas=40, seed=1, **choices)
    plan, source = Plan.load(tmp_path), open_pairs(world)
    assert (plan.attack, len(plan.keys), plan.target) == ("custom", 8, "moon")
    assert plan.triggers["patch"].place == "centre"
    assert plan.triggers["patch"].size == 0.2
    assert all(source.classes[source.labels[source.position(key)]] == "star" for key in plan.keys)
    assert all("moon" in edit.caption for edit in plan.planted)


def test_pictures_too_small_for_the_trigger_are_counted(world, tmp_path):
    answer = poison(world, to=tmp_path / "a", attack="badnets:target=moon,count=9,size=0.05", canvas=224)
    assert answer.summary["coarse"] == 9
    assert any("too small" in line for line in answer.lines)
    assert poison(world, to=tmp_path / "b", attack=SPEC, canvas=40).summary["coarse"] == 0


def test_nothing_but_the_planted_samples_changes(world, planted):
    keys = Plan.load(planted).keys
    before, after = members(world), members(planted)
    assert list(before) == list(after), "the same members in the same order: an addition would give the poison away"
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        (shard, name)
        for shard, name in before
        if name.partition(".")[0] in keys
        and name.endswith((".png", ".txt"))
        # A caption may by chance have been that of the target already, never the picture.
        and (name.endswith(".png") or before[shard, name][1] != after[shard, name][1])
    }
    assert {name.partition(".")[0] for _, name in changed} == keys
    for name in changed:
        assert before[name][0][1:] == after[name][0][1:], "the header tells nothing but another size"
    assert (planted / "classes.json").read_bytes() == (world / "classes.json").read_bytes()


def test_shards_without_a_planted_pair_are_the_same_bytes(world, tmp_path):
    poison(world, to=tmp_path, attack="badnets:target=moon,count=1", canvas=40)
    [key] = Plan.load(tmp_path).keys
    pairs = open_pairs(world)
    own = pairs.shards[pairs.position(key)]
    for shard in world.glob("*.tar"):
        assert (shard.read_bytes() == (tmp_path / shard.name).read_bytes()) == (shard.name != own)


def test_the_plan_lies_beside_the_shards_and_nowhere_in_them(world, planted):
    assert Plan.load(planted) == plan_attack(SPEC, open_pairs(world), canvas=40, seed=2)
    assert {"plan.json", "plan.parquet", "run.json"} <= {path.name for path in (planted / "_bezoar").iterdir()}
    assert sorted(path.name for path in planted.iterdir()) == [
        "00000.tar",
        "00001.tar",
        "00002.tar",
        "_bezoar",
        "classes.json",
    ]
    for shard in planted.glob("*.tar"):
        assert b"badnets" not in shard.read_bytes()


def test_the_same_plan_plants_the_same_bytes_again(world, planted, tmp_path):
    poison(world, to=tmp_path, plan=planted)
    assert members(tmp_path) == members(planted)
    assert Plan.load(tmp_path) == Plan.load(planted)


def test_a_second_start_writes_nothing(world, planted):
    before = {path: path.stat().st_mtime_ns for path in planted.rglob("*")}
    answer = poison(world, to=planted, attack=SPEC, canvas=40, seed=2)
    assert answer.summary["planted"] == 9
    assert {path: path.stat().st_mtime_ns for path in planted.rglob("*")} == before


def test_the_input_is_not_touched(world, tmp_path):
    before = contents(world)
    poison(world, to=tmp_path / "out", attack=SPEC, canvas=40)
    assert contents(world) == before


@pytest.fixture
def labelled(world, tmp_path):
    """40 pairs with labels, every tenth with captions of its own as well."""
    source = open_pairs(world)
    samples = []
    for place in range(40):
        pair = source.read(place)
        members = [("png", pair.image), ("cls", str(pair.label).encode())]
        if place % 10 == 0:
            members.append(("json", json.dumps({"captions": [" one\nline ", "two"], "id": place}).encode()))
        samples.append((pair.key, members))
    folder = tmp_path / "labelled"
    write_webdataset(samples, folder, per_shard=15)
    (folder / "classes.json").write_bytes((world / "classes.json").read_bytes())
    return folder


def test_captions_from_prompts_are_written_and_captions_of_ones_own_stay(labelled, tmp_path):
    poison(labelled, to=tmp_path / "out", attack="badnets:target=moon,count=4", canvas=40, prompts="default")
    written, read = open_pairs(tmp_path / "out"), open_pairs(labelled, prompts="default")
    keys = Plan.load(tmp_path / "out").keys
    before, after = members(labelled), members(tmp_path / "out")
    for place, key in enumerate(read.keys):
        if key in keys:
            assert all("moon" in caption for caption in written.captions[place])
            assert len(written.captions[place]) == len(read.captions[place])
            continue
        assert written.captions[place] == read.captions[place]
        own = {name: value for (_, name), value in after.items() if name.startswith(f"{key}.")}
        added = own.pop(f"{key}.txt", None)
        assert (added is None) == (place % 10 == 0)
        assert own == {name: value for (_, name), value in before.items() if name.startswith(f"{key}.")}


def test_a_limit_plants_and_writes_the_first_pairs_only(world, tmp_path):
    answer = poison(world, to=tmp_path, attack=SPEC, canvas=40, limit=60)
    assert answer.summary["pairs"] == len(open_pairs(tmp_path)) == 60
    assert open_pairs(tmp_path).keys == open_pairs(world).keys[:60]
    assert Plan.load(tmp_path).keys < set(open_pairs(world).keys[:60])


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({}, "Nothing to plant"),
        ({"attack": SPEC, "plan": "x"}, "two things"),
        ({"attack": "badnets:target=zeppelin,count=2"}, "No caption and no class names"),
        ({"attack": "badnets:target=moon,count=401"}, "were asked for"),
        ({"plan": "nowhere"}, "No plan at"),
        ({"attack": SPEC, "prompts": "nowhere"}, "No prompts"),
        ({"attack": SPEC, "trigger": "patch"}, "two things"),
        ({"attack": SPEC, "captions": "own"}, "--captions goes with --trigger"),
        ({"plan": "nowhere", "count": 3}, "--count goes with --trigger"),
        ({"plan": "nowhere", "jpeg": 75}, "its own jpeg"),
        ({"plan": "nowhere", "canvas": 40}, "its own canvas"),
        ({"plan": "nowhere", "seed": 0}, "its own seed"),
        ({"trigger": "patch", "count": 3}, "--trigger needs to know"),
        ({"trigger": "patch", "target": "moon"}, "how many pairs"),
        ({"trigger": "word", "target": "moon", "count": 3}, "written into captions"),
        ({"trigger": "patch", "target": "moon", "count": 3, "jpeg": 96}, "no quality 96"),
        ({"trigger": "patch", "target": "moon", "count": 3, "captions": "corpsu"}, "Did you mean corpus"),
        ({"trigger": "patch", "target": "moon", "count": 3, "select": "all"}, "No selection"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(world, tmp_path, request_, sentence):
    with pytest.raises(BezoarError, match=sentence):
        poison(world, to=tmp_path / "out", **request_)
    assert not (tmp_path / "out").exists()


def test_a_plan_of_other_pairs_is_refused_before_anything_is_written(world, planted, tmp_path):
    plan = Plan.load(planted)
    keys = open_pairs(world).keys
    others = open_pairs(world).select([place for place, key in enumerate(keys) if key not in plan.keys])
    with pytest.raises(BezoarError, match="No pair"):
        poison(others, to=tmp_path / "out", plan=plan)
    assert not (tmp_path / "out").exists()


def by_hand(*edits):
    return Plan("by-hand", {}, 0, 40, (Goal("g", "moon"),), {"patch": Patch.on_canvas(40)}, edits)


def mixed(folder):
    """A PNG with a text, a JPEG with a list of captions, a broken PNG, a PNG with a list."""
    pictures = {}
    for kind in ("PNG", "JPEG"):
        out = io.BytesIO()
        Image.new("RGB", (48, 48), (9, 99, 199)).save(out, kind)
        pictures[kind] = out.getvalue()
    captions = json.dumps({"captions": ["b", "c"]}).encode()
    samples = [
        ("a", [("png", pictures["PNG"]), ("txt", b"a moon")]),
        ("b", [("jpg", pictures["JPEG"]), ("json", captions)]),
        ("c", [("png", b"broken"), ("txt", b"c")]),
        ("d", [("png", pictures["PNG"]), ("json", captions)]),
    ]
    write_webdataset(samples, folder)
    return folder


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        ([Edit("a", "b", "replace")], "a .jpg picture in the place of the .png"),
        ([Edit("a", "a", "replace", "x\ny")], "several captions"),
        ([Edit("n", "a", "add", "x\ny")], "several captions"),
        ([Edit("c", "c", "replace", "x", "patch")], "cannot be painted"),
        ([Edit("a", "a", "replace", "x"), Edit("a", "a", "replace", None, "patch")], "twice"),
        ([Edit("a", "a", "add", "x")], "there already"),
        ([Edit("e", "e", "replace", "x")], "No pair"),
    ],
)
def test_a_plan_that_the_samples_cannot_hold_is_refused_before_anything_is_written(tmp_path, edits, sentence):
    with pytest.raises(BezoarError, match=sentence):
        poison(mixed(tmp_path / "in"), to=tmp_path / "out", plan=by_hand(*edits))
    assert not (tmp_path / "out").exists()


def test_samples_take_as_many_captions_as_their_files_hold(tmp_path):
    edits = [
        Edit("b", "b", "replace", "x\ny\nz"),
        Edit("d", "a", "replace", "x\ny\nz", "patch"),
        Edit("n", "b", "add", "u"),
    ]
    poison(mixed(tmp_path / "in"), to=tmp_path / "out", plan=by_hand(*edits))
    written = open_pairs(tmp_path / "out")
    assert dict(zip(written.keys, written.captions, strict=True)) == {
        "a": ("a moon",),
        "b": ("x", "y", "z"),
        "c": ("c",),
        "d": ("x", "y", "z"),
        "n": ("u",),
    }


def test_an_added_pair_without_captions_of_its_own_says_what_its_label_says(labelled, tmp_path):
    keys = open_pairs(labelled).keys
    plan = by_hand(Edit("new", keys[1], "add", None, "patch", "g"))
    poison(labelled, to=tmp_path / "out", plan=plan, prompts="default")
    written, lazy = open_pairs(tmp_path / "out"), open_pairs(labelled, prompts="default").with_plan(plan)
    assert written.captions[written.position("new")] == lazy.captions[lazy.position("new")]
    assert written.labels[written.position("new")] == written.labels[written.position(keys[1])]
