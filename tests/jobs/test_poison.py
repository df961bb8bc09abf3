"""Poisoning: what lies on the disk is what training draws lazily, and nothing else has changed."""

import json
import tarfile

import numpy as np
import pytest

from bezoar.attacks import Plan, plan_attack
from bezoar.canvas import Canvas
from bezoar.jobs.poison import poison
from bezoar.pairs import open_pairs, write_webdataset
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
        ({"attack": "badnets:target=zeppelin,count=2"}, "No caption names"),
        ({"attack": "badnets:target=moon,count=401"}, "were asked for"),
        ({"plan": "nowhere"}, "No plan at"),
        ({"attack": SPEC, "prompts": "nowhere"}, "No prompts"),
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
