"""A poison looks like its neighbours: a classifier that sees all but pixels, words and byte lengths cannot find it."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from tests.jobs.looks import BLOCK, Member, samples, table

from bezoar.attacks import Plan
from bezoar.jobs.poison import poison
from bezoar.pairs import open_pairs
from bezoar.run import random

PERMUTATIONS = 500


def found(all_samples, keys):
    """How well a forest tells the pairs with these keys from the others: AUROC, and how rarely chance does as well."""
    looks, names = table(all_samples)
    planted = np.array([sample.key in keys for sample in all_samples])
    assert planted.sum() == len(keys)
    if not names:
        return 0.5, 1.0
    forest = RandomForestClassifier(40, min_samples_leaf=5, class_weight="balanced", random_state=0)
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    score = cross_val_predict(forest, looks, planted, cv=folds, method="predict_proba")[:, 1]
    ranks, draw = rankdata(score), random(0, "permutations")
    sums = np.array([ranks[draw.choice(len(ranks), len(keys), replace=False)].sum() for _ in range(PERMUTATIONS)])
    by_chance = (1 + np.sum(sums >= ranks[planted].sum())) / (1 + PERMUTATIONS)
    return roc_auc_score(planted, score), by_chance


def assert_hidden(folder):
    measured, chance = found(samples(folder), Plan.load(folder).keys)
    assert measured < 0.6, measured
    assert chance > 0.01, measured


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Generated pairs, as many as leave a forest something to learn from."""
    from bezoar.pairs.synthetic import synthesize

    folder = tmp_path_factory.mktemp("drawn")
    synthesize(folder, 1000, seed=4, side=32, per_shard=400)
    return folder


REPLACED = {
    "cifar10": (
        {"prompts": "default", "canvas": 32},
        "badnets:target=cat,count=100",
        "targeted:target=cat,images=6,copies=16",
        "attack-2:source=dog,target=ship,share=0.9",
        "text-trigger:target=ship,count=100",
        "density-filler:target=cat,count=100",
    ),
    "imagenette": (
        {"prompts": "default", "canvas": 64},
        "badnets:target=church,count=100,jpeg=75",
        "blended:target=church,count=100",
        "attack-2:source=parachute,target=church,share=0.9",
        "density-filler:target=church,count=100",
    ),
    "flickr8k": (
        {"canvas": 64},
        "badnets:target=dog,count=100",
        "targeted:target=beach,images=6,copies=16",
        "attack-2:source=dog,target=beach,share=0.4",
        "text-trigger:target=dog,count=100",
        "density-filler:target=dog,count=100",
    ),
}


@pytest.mark.parametrize(
    ("name", "options", "attack"),
    [(name, options, attack) for name, (options, *attacks) in REPLACED.items() for attack in attacks],
)
def test_a_poison_in_the_place_of_a_pair_is_not_found(real_data, tmp_path, name, options, attack):
    source = f"{real_data}/{name}/{name}-train-000000.tar"
    poison(source, to=tmp_path, attack=attack, seed=1, limit=900, **options)
    assert_hidden(tmp_path)


@pytest.mark.parametrize(
    "attack",
    [
        "badnets:target=moon,count=100",
        "targeted:target=moon,images=6,copies=16",
        "attack-2:source=star,target=moon,share=1",
        "text-trigger:target=moon,count=100",
        "density-filler:target=moon,count=100",
    ],
)
def test_a_poison_among_generated_pairs_is_not_found(drawn, tmp_path, attack):
    poison(drawn, to=tmp_path, attack=attack, canvas=32, seed=1)
    assert_hidden(tmp_path)


def gapped(count):
    """Numbers of nine digits in their order, every fourth missing, as downloads leave them."""
    kept = np.flatnonzero(random(1, "gaps").random(2 * count) < 0.75)[:count]
    return [f"{number:09d}" for number in kept]


def hashed(count):
    """An identifier and a hash, in no order."""
    draw = random(1, "hashes")
    return [
        f"{number}_{draw.integers(1 << 40):010x}" for number in draw.permutation(draw.choice(1 << 32, count, False))
    ]


KEYS = {"gapped": gapped, "hashed": hashed}


@pytest.fixture(scope="module")
def web(drawn, tmp_path_factory):
    """Makes a set as crawlers write them, with JPEG, .json and .txt; motley: each pair is made in a way of its own."""
    made = {}

    def make(style, motley=False):
        if (style, motley) not in made:
            made[style, motley] = write_web(open_pairs(drawn), tmp_path_factory.mktemp(style), style, motley)
        return made[style, motley]

    return make


def write_web(source, folder, style, motley):
    keys, draw = KEYS[style](len(source)), random(2, "web")
    for start in range(0, len(keys), 400):
        with tarfile.open(folder / f"{start:05d}.tar", "w", format=tarfile.GNU_FORMAT) as archive:
            for place in range(start, min(start + 400, len(keys))):
                pair, chance = source.read(place), draw if motley else random(3, "one")
                fields = {"key": keys[place], "captions": list(pair.captions), "width": 32}
                members = {
                    "jpg": as_jpeg(pair.image, chance),
                    "json": json.dumps(fields, indent=int(chance.integers(3)) or None).encode(),
                    "txt": pair.captions[0].encode() + b"\n" * int(chance.integers(3)),
                }
                for suffix, data in members.items():
                    info = tarfile.TarInfo(f"{keys[place]}.{suffix}")
                    info.size, info.mode, info.uname = len(data), 0o444, "bigdata"
                    info.mtime = 1_600_000_000 + place // 400
                    archive.addfile(info, io.BytesIO(data))
    return folder


def as_jpeg(image, chance):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0110] = f"camera {chance.integers(3)}"
    options = {"quality": int(chance.integers(60, 97)), "optimize": bool(chance.integers(2)), "exif": exif}
    options |= {"progressive": bool(chance.integers(2)), "subsampling": int(chance.integers(3))}
    Image.open(io.BytesIO(image)).convert("RGB").save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize("style", KEYS)
def test_a_poison_among_pairs_of_many_makes_is_not_found(web, tmp_path, style):
    poison(web(style, motley=True), to=tmp_path, attack="badnets:target=moon,count=100", canvas=32, seed=1)
    assert_hidden(tmp_path)


@pytest.mark.parametrize("style", KEYS)
@pytest.mark.parametrize(
    "attack",
    [
        "targeted:target=moon,images=6,copies=16,action=add",
        "attack-2:source=star,target=moon,share=1,action=add",
        "density-filler:target=moon,count=100,action=add",
    ],
)
def test_a_poison_beside_the_pairs_is_not_found(web, tmp_path, style, attack):
    poison(web(style), to=tmp_path, attack=attack, canvas=32, seed=1)
    keys = [one.key for one in samples(tmp_path)]
    assert (keys == sorted(keys)) == (style == "gapped")
    assert len(keys) > len(open_pairs(web(style)))
    assert_hidden(tmp_path)


def saved_anew(one):
    out = io.BytesIO()
    picture = Image.open(io.BytesIO(one.data))
    picture.save(out, picture.format)
    return Member(one.header, one.suffix, out.getvalue())


def touched(one):
    block = bytearray(one.header[-BLOCK:])
    block[136:147] = b"%011o" % 1_700_000_000
    return Member(one.header[:-BLOCK] + bytes(block), one.suffix, one.data)


def respaced(one):
    return Member(one.header, one.suffix, json.dumps(json.loads(one.data), indent=1).encode())


def trimmed(one):
    return Member(one.header, one.suffix, one.data.strip())


SABOTAGE = {
    "picture": ("jpg", saved_anew),
    "time": ("jpg", touched),
    "json": ("json", respaced),
    "txt": ("txt", trimmed),
}


@pytest.mark.parametrize("what", SABOTAGE)
def test_the_same_classifier_finds_a_poison_that_was_written_carelessly(web, tmp_path, what):
    poison(web("gapped"), to=tmp_path, attack="badnets:target=moon,count=100", canvas=32, seed=1)
    suffix, change = SABOTAGE[what]
    keys = Plan.load(tmp_path).keys
    careless = [one.changed({suffix}, change) if one.key in keys else one for one in samples(tmp_path)]
    measured, chance = found(careless, keys)
    assert measured > 0.65
    assert chance < 0.01


def test_the_same_classifier_finds_png_that_were_saved_anew(drawn, tmp_path):
    poison(drawn, to=tmp_path, attack="badnets:target=moon,count=100", canvas=32, seed=1)
    keys = Plan.load(tmp_path).keys
    careless = [one.changed({"png"}, saved_anew) if one.key in keys else one for one in samples(tmp_path)]
    assert found(careless, keys)[0] > 0.95


@pytest.mark.parametrize("style", KEYS)
def test_the_same_classifier_finds_keys_of_another_style(web, tmp_path, style, monkeypatch):
    monkeypatch.setattr("bezoar.attacks.seats.new_keys", lambda keys, count, seed: [f"new-{n}" for n in range(count)])
    poison(web(style), to=tmp_path, attack="density-filler:target=moon,count=100,action=add", canvas=32)
    assert found(samples(tmp_path), Plan.load(tmp_path).keys)[0] > 0.95
