"""Evaluating: the figures are those of the measures, on the pairs that can be read, and land in metrics.json."""

import json

import numpy as np
import pytest

from bezoar.attacks import Goal, Plan, plan_attack
from bezoar.attacks.triggers import Patch, Tint
from bezoar.evaluation.backdoor import Marked, by_class
from bezoar.evaluation.bench import Bench, Setting, Shown
from bezoar.evaluation.carries import RULE
from bezoar.evaluation.retrieval import retrieval
from bezoar.evaluation.zero_shot import accuracy
from bezoar.jobs.evaluate import evaluate
from bezoar.models import create, save
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
    rows = answer.summary["rows"]
    assert len({(row["name"], row["goal"]) for row in rows}) == len(rows)
    return {row["name"]: row for row in rows}


def bench_of(clip, pairs):
    """The model before the pictures that can be read."""
    shown = Shown(Decoded(pairs, clip.canvas), np.setdiff1d(np.arange(80), [BROKEN]))
    return Bench(clip, "cpu", shown, Setting(read_prompts("default")))


def values(rows):
    return {row.name: pytest.approx(row.value) for row in rows}


def test_labelled_pairs_are_measured_by_class(model, labelled, clip, tmp_path):
    answer = evaluate(model, to=tmp_path, pairs=labelled.path)
    rows = by_name(answer)
    assert {name: row["value"] for name, row in rows.items()} == values(accuracy(bench_of(clip, labelled)))
    for row in rows.values():
        assert row.keys() == {"name", "goal", "value", "n", "low", "high", "protocol", "unit", "beside"}
        assert (row["n"], row["goal"], row["beside"]) == (79, None, None)
        assert row["low"] < row["value"] < row["high"]
        assert "18 templates (default)" in row["protocol"]
    assert json.loads((tmp_path / "metrics.json").read_text())["rows"] == answer.summary["rows"]
    assert f"n = {79}" in answer.lines[0]


def test_pairs_with_captions_only_are_measured_by_retrieval(model, captioned, clip, tmp_path):
    rows = by_name(evaluate(model, to=tmp_path, pairs=captioned.path))
    assert {name: row["value"] for name, row in rows.items()} == values(retrieval(bench_of(clip, captioned)))
    assert {row["n"] for row in rows.values()} == {79}


def test_images_and_pairs_together_are_measured_each_in_its_way(model, labelled, captioned, tmp_path):
    rows = by_name(evaluate(model, to=tmp_path, images=labelled.path, pairs=captioned.select(range(40))))
    assert {name: row["n"] for name, row in rows.items() if name[0] == "z"} == {
        f"zero-shot-top{k}": 79 for k in (1, 5, 10)
    }
    assert {row["n"] for name, row in rows.items() if name[0] == "r"} == {39}


def test_class_folders_are_images(model, labelled, tmp_path):
    good = [place for place in range(80) if place != BROKEN]
    for place in good:
        pair = labelled.read(place)
        folder = tmp_path / "folders" / labelled.classes[pair.label]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place}.png").write_bytes(pair.image)
    theirs = by_name(evaluate(model, to=tmp_path / "a", images=tmp_path / "folders"))
    ours = by_name(evaluate(model, to=tmp_path / "b", images=labelled))
    pick = {name: (row["value"], row["n"]) for name, row in ours.items()}
    missing = len(labelled.classes) - len({labelled.labels[place] for place in good})
    assert missing == 0, "else the galleries differ"
    # Names sorted: the classes stand in another order, the pictures too, and nothing changes.
    assert {name: (row["value"], row["n"]) for name, row in theirs.items()} == pick


def test_a_plan_adds_the_success_of_its_attack(model, labelled, clip, tmp_path, monkeypatch):
    plan = plan_attack("tint:target=moon,count=3", labelled, canvas=32)
    drawn, draw = [], Tint.draw

    def listening(self, pixels, key):
        drawn.append(key)
        return draw(self, pixels, key)

    monkeypatch.setattr(Tint, "draw", listening)
    rows = by_name(evaluate(model, to=tmp_path, pairs=labelled.path, plan=plan))
    moon = labelled.classes.index("moon")
    assert drawn == [labelled.keys[place] for place in range(80) if place != BROKEN]
    bench = bench_of(clip, labelled)
    wanted = by_class(bench, plan.goals[0], Marked.on(bench, Tint()), bench.class_texts, np.arange(12) == moon)
    asked = sum(labelled.labels[place] != moon for place in range(80) if place != BROKEN)
    for row in wanted:
        found = rows[row.name]
        assert (found["value"], found["n"], found["goal"]) == (pytest.approx(row.value), asked, "tint to moon")
    assert {"asr", "asr-base", "asr-true-class", "z-score-sd", "z-score-var"} <= rows.keys()


def test_a_plan_on_captions_measures_what_is_found_first(model, captioned, labelled, tmp_path):
    plan = plan_attack("tint:target=moon,count=3", labelled, canvas=32)
    rows = by_name(evaluate(model, to=tmp_path, pairs=captioned.path, plan=plan))
    named = sum("moon" in own[0] for place, own in enumerate(captioned.captions) if place != BROKEN)
    assert named > 0
    assert rows["asr"]["n"] == rows["asr-base"]["n"] == 79 - named


def test_goals_of_captions_are_measured_on_the_captions_of_labelled_pairs(model, labelled, tmp_path):
    goal = Goal("star to moon", "moon", "text-to-image", source="star")
    rows = by_name(evaluate(model, to=tmp_path, pairs=labelled, plan=Plan("custom", {}, 0, 32, (goal,), {}, ())))
    named = sum("star" in own[0] for place, own in enumerate(labelled.captions) if place != BROKEN)
    assert {rows[name]["n"] for name in ("hit@1", "hit@10", "min-rank")} == {named}
    assert rows["min-rank"]["value"] >= 1
    assert "r@1-image-to-text" not in rows


def test_the_pictures_of_a_plan_come_from_the_set_it_was_made_for(model, labelled, world, tmp_path):
    made_for = open_pairs(world).select(range(100, 400))
    plan = plan_attack("targeted:target=moon,images=3,copies=2", made_for, canvas=32)
    with pytest.raises(BezoarError, match="--planted"):
        evaluate(model, to=tmp_path / "out", pairs=labelled, plan=plan)
    with pytest.raises(BezoarError, match="which the plan is about"):
        evaluate(model, to=tmp_path / "out", pairs=labelled, plan=plan, planted=labelled)
    assert not (tmp_path / "out").exists()
    rows = by_name(evaluate(model, to=tmp_path / "out", pairs=labelled, plan=plan, planted=made_for))
    assert {rows[name]["n"] for name in ("psr", "psr@5", "psr@10", "psr-true-class")} == {3}


def test_the_model_beside_is_measured_under_the_same_protocol(model, labelled, world, tmp_path):
    other = tmp_path / "other"
    save(create("tiny-resnet", side=32, seed=9), other)
    plan = plan_attack("tint:target=moon,count=3", labelled, canvas=32)
    request = {"pairs": labelled, "plan": plan}
    answer = evaluate(model, to=tmp_path / "both", beside=other, **request)
    both = by_name(answer)
    first, second = (
        by_name(evaluate(one, to=tmp_path / f"{place}", **request)) for place, one in enumerate((model, other))
    )
    for name, row in both.items():
        assert row["value"] == first[name]["value"]
        assert row["protocol"] == first[name]["protocol"] == second[name]["protocol"]
        assert row["beside"] == {key: second[name][key] for key in ("value", "low", "high")}
    assert both["z-score-sd"]["value"] != both["z-score-sd"]["beside"]["value"]
    assert all("beside" in line for line in answer.lines if "n = " in line)


def test_a_trigger_is_checked_and_the_answer_closes_with_a_verdict_and_its_rule(model, labelled, tmp_path):
    answer = evaluate(
        model, to=tmp_path / "out", images=labelled, trigger="patch:size=0.4,pattern=dots", target="moon", seed=4
    )
    rows = by_name(answer)
    controls = [f"control-asr-other-{kind}{mean}" for kind in ("targets", "triggers") for mean in ("", "-mean")]
    assert {"zero-shot-top1", "asr", "asr-base", "asr-true-class", *controls} <= rows.keys()
    assert {rows[name]["goal"] for name in ("asr", *controls)} == {"patch to moon"}
    (told,) = answer.summary["verdicts"]
    assert told.startswith("patch to moon: ")
    assert [told, RULE] == [line for line in answer.lines if line in (told, RULE)]
    assert "carries" not in told, "nobody taught it"


def test_the_triggers_of_a_plan_are_checked_under_any_target(model, labelled, tmp_path):
    plan_attack("tint:target=moon,count=3", labelled, canvas=32).save(tmp_path / "plan")
    rows = by_name(
        evaluate(model, to=tmp_path / "out", images=labelled, trigger=tmp_path / "plan", target="a blue sky")
    )
    assert rows["asr"]["goal"] == "tint to a blue sky"
    assert "'a blue sky' as it is" in rows["asr"]["protocol"]


def test_triggered_pictures_go_through_jpeg(model, labelled, tmp_path):
    plan = Plan("custom", {}, 0, 32, (Goal("g", "moon", trigger="patch"),), {"patch": Patch.on_canvas(32)}, ())
    rows = {
        jpeg: by_name(evaluate(model, to=tmp_path / f"{jpeg}", pairs=labelled, plan=plan, jpeg=jpeg))
        for jpeg in (None, 20)
    }
    assert "codec: png" in rows[None]["asr"]["protocol"]
    assert "codec: jpeg=20" in rows[20]["asr"]["protocol"]
    assert rows[None]["z-score-sd"]["value"] != rows[20]["z-score-sd"]["value"]
    assert rows[None]["zero-shot-top1"] == rows[20]["zero-shot-top1"]


def test_a_probe_is_fitted_on_its_own_pictures(model, labelled, world, tmp_path):
    rows = by_name(evaluate(model, to=tmp_path, images=labelled, probe=world))
    assert rows["probe-top1"]["n"] == 79
    assert "400 pictures" in rows["probe-top1"]["protocol"]


def test_a_second_start_reads_what_the_first_wrote(model, labelled, tmp_path, monkeypatch):
    first = evaluate(model, to=tmp_path, pairs=labelled)
    monkeypatch.setattr("bezoar.jobs.evaluate.sit", None)
    again = evaluate(model, to=tmp_path, pairs=labelled)
    assert (again.summary, again.lines) == (first.summary, first.lines)


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
        ({"pairs": None}, "nothing to measure on"),
        ({"images": "nowhere"}, "does not exist"),
        ({"planted": "nowhere"}, "does not exist"),
        ({"beside": "nowhere"}, "No model at"),
        ({"probe": "nowhere"}, "does not exist"),
        ({"jpeg": 0}, "no quality 0"),
        ({"trigger": "patch"}, "Give --trigger and --target together"),
        ({"target": "moon"}, "Give --trigger and --target together"),
        ({"trigger": "pach", "target": "moon"}, "neither a plan nor a trigger. Did you mean patch"),
        ({"trigger": "patch:size=2", "target": "moon"}, "larger than the canvas"),
        ({"trigger": "word", "target": "moon"}, "written into captions"),
        ({"trigger": "patch", "target": "moon", "plan": "any"}, "does not go with --plan"),
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


def test_what_needs_labels_is_refused_without(model, captioned, labelled, tmp_path):
    for request in (
        {"images": captioned},
        {"pairs": captioned, "trigger": "patch", "target": "moon"},
        {"pairs": captioned, "probe": labelled},
        {"pairs": labelled, "probe": captioned},
    ):
        with pytest.raises(BezoarError, match="labels"):
            evaluate(model, to=tmp_path / "out", **request)
    assert not (tmp_path / "out").exists()


def test_a_model_of_another_canvas_is_not_put_beside(model, labelled, tmp_path):
    save(create("tiny-resnet", side=40), tmp_path / "other")
    with pytest.raises(BezoarError, match=r"looks at 40 px .* the model at 32 px"):
        evaluate(model, to=tmp_path / "out", pairs=labelled, beside=tmp_path / "other")
    assert not (tmp_path / "out").exists()
