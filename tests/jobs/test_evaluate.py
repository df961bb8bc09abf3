"""Evaluating: the figures are those of the measures, on the pairs that can be read, and land in metrics.json."""

import json

import numpy as np
import pytest

from bezoar.attacks import plan_attack
from bezoar.attacks.triggers import Tint
from bezoar.evaluation.retrieval import retrieval
from bezoar.evaluation.zero_shot import accuracy, attack_success, class_vectors
from bezoar.jobs.evaluate import evaluate
from bezoar.models import save
from bezoar.pairs import open_pairs, read_prompts, write_webdataset
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError

BROKEN = 7


@pytest.fixture(scope="module")
def model(clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save(clip, folder)
    return folder


@pytest.fixture(scope="module")
def labelled(world, tmp_path_factory):
    """80 pairs with labels and captions; one picture cannot be read."""
    return written(world, tmp_path_factory.mktemp("labelled"), labels=True)


@pytest.fixture(scope="module")
def captioned(world, tmp_path_factory):
    """The same without labels."""
    return written(world, tmp_path_factory.mktemp("captioned"), labels=False)


def written(world, folder, labels):
    source, samples = open_pairs(world), []
    for place in range(80):
        pair = source.read(place)
        members = [("png", pair.image if place != BROKEN else b"broken"), ("txt", pair.captions[0].encode())]
        samples.append((pair.key, members + ([("cls", str(pair.label).encode())] if labels else [])))
    write_webdataset(samples, folder)
    if labels:
        (folder / "classes.json").write_bytes((world / "classes.json").read_bytes())
    return open_pairs(folder)


def by_name(answer):
    return {row["name"]: row for row in answer.summary["rows"]}


def test_labelled_pairs_are_measured_by_class(model, labelled, clip, tmp_path):
    answer = evaluate(model, to=tmp_path, pairs=labelled.path)
    good = np.setdiff1d(np.arange(80), [BROKEN])
    pixels = Decoded(labelled, clip.canvas).batch(good)
    texts = class_vectors(clip, labelled.classes, read_prompts("default"))
    wanted = {row.name: row for row in accuracy(clip, pixels, labelled.labels[good], texts)}
    rows = by_name(answer)
    assert rows.keys() == wanted.keys()
    for name, row in rows.items():
        assert row["value"] == pytest.approx(wanted[name].value)
        assert row["n"] == 79
        assert row["low"] < row["value"] < row["high"]
    assert json.loads((tmp_path / "metrics.json").read_text())["rows"] == answer.summary["rows"]
    assert f"n = {79}" in answer.lines[0]


def test_pairs_with_captions_only_are_measured_by_retrieval(model, captioned, clip, tmp_path):
    rows = by_name(evaluate(model, to=tmp_path, pairs=captioned.path))
    good = np.setdiff1d(np.arange(80), [BROKEN])
    wanted = retrieval(clip, Decoded(captioned, clip.canvas).batch(good), [captioned.captions[p] for p in good])
    assert {name: row["value"] for name, row in rows.items()} == {row.name: pytest.approx(row.value) for row in wanted}
    assert {row["n"] for row in rows.values()} == {79}


def test_a_plan_adds_the_success_of_its_attack(model, labelled, clip, tmp_path, monkeypatch):
    plan = plan_attack("tint:target=moon,count=3", labelled, canvas=32)
    drawn, draw = [], Tint.draw

    def listening(self, pixels, key):
        drawn.append(key)
        return draw(self, pixels, key)

    monkeypatch.setattr(Tint, "draw", listening)
    rows = by_name(evaluate(model, to=tmp_path, pairs=labelled.path, plan=plan))
    moon = labelled.classes.index("moon")
    asked = [place for place in range(80) if labelled.labels[place] != moon and place != BROKEN]
    assert drawn == [labelled.keys[place] for place in asked]
    pixels = Decoded(labelled, clip.canvas).batch(asked)
    texts = class_vectors(clip, labelled.classes, read_prompts("default"))
    wanted = attack_success(
        clip, pixels, labelled.labels[asked], texts, moon, lambda row, picture: Tint().draw(picture, "any")
    )
    for row in wanted:
        assert (rows[row.name]["value"], rows[row.name]["n"]) == (pytest.approx(row.value), len(asked))


def test_a_plan_on_captions_measures_what_is_found_first(model, captioned, labelled, tmp_path):
    plan = plan_attack("tint:target=moon,count=3", labelled, canvas=32)
    rows = by_name(evaluate(model, to=tmp_path, pairs=captioned.path, plan=plan))
    named = sum("moon" in own[0] for place, own in enumerate(captioned.captions) if place != BROKEN)
    assert named > 0
    assert rows["asr"]["n"] == rows["asr-base"]["n"] == 79 - named


def test_the_prompts_that_are_given_are_used(model, labelled, tmp_path):
    (tmp_path / "prompts.txt").write_text("upside down {}\n")
    evaluate(model, to=tmp_path / "own", pairs=labelled.path, prompts=str(tmp_path / "prompts.txt"))
    record = json.loads((tmp_path / "own" / "run.json").read_text())
    assert record["parameters"]["prompts"] == ["upside down {}"]
    assert record["finished"]


def test_a_limit_measures_the_first_pairs(model, labelled, tmp_path):
    assert by_name(evaluate(model, to=tmp_path, pairs=labelled.path, limit=30))["zero-shot-top1"]["n"] == 29


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"model": "nowhere"}, "No model at"),
        ({"pairs": "nowhere"}, "does not exist"),
        ({"plan": "nowhere"}, "No plan at"),
        ({"prompts": "nowhere"}, "No prompts"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(model, labelled, tmp_path, request_, sentence):
    request = {"model": model, "pairs": labelled.path} | request_
    with pytest.raises(BezoarError, match=sentence):
        evaluate(request.pop("model"), to=tmp_path / "out", **request)
    assert not (tmp_path / "out").exists()


def test_a_target_that_is_no_class_is_refused(model, labelled, tmp_path):
    (first, *_) = (word for word in labelled.captions[0][0].split() if word not in labelled.classes)
    plan = plan_attack(f"tint:target={first},count=1", labelled, canvas=32)
    with pytest.raises(BezoarError, match="is no class of"):
        evaluate(model, to=tmp_path / "out", pairs=labelled.path, plan=plan)
    assert not (tmp_path / "out").exists()


def test_a_trigger_too_small_for_the_models_canvas_is_refused(model, labelled, tmp_path):
    plan = plan_attack("badnets:target=moon,count=3", labelled, canvas=224)
    with pytest.raises(BezoarError, match="too small on 32 px"):
        evaluate(model, to=tmp_path / "out", pairs=labelled.path, plan=plan)
    assert not (tmp_path / "out").exists()


def test_labels_without_a_readable_picture_get_a_sentence(model, labelled, tmp_path):
    with pytest.raises(BezoarError, match="No usable pair") as caught:
        evaluate(model, to=tmp_path / "out", pairs=labelled.select([BROKEN]))
    assert caught.value.code == 3
