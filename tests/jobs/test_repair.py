"""Repairing: what is learnt from and judged by, when it ends, what is told, and what lies in the folder."""

import json

import numpy as np
import open_clip
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch

import bezoar.jobs.repair as job
from bezoar.attacks import plan_attack
from bezoar.cli import main
from bezoar.jobs.evaluate import evaluate
from bezoar.jobs.repair import repair
from bezoar.models import load, save
from bezoar.models.head import load_head
from bezoar.pairs import open_pairs, write_webdataset
from bezoar.run import BezoarError, Run
from bezoar.training.recipes import RECIPES
from bezoar.training.step import Stepper

ASKED = {"epochs": 1, "batch": 32, "device": "cpu"}
LIMIT = 160


@pytest.fixture(scope="module")
def model(clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save(clip, folder)
    return folder


@pytest.fixture(scope="module")
def repaired(world, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("repaired")
    return folder, repair(model, to=folder, recipe="cleanclip", pairs=world, strength=2.0, limit=LIMIT, **ASKED)


@pytest.fixture(scope="module")
def plan(world):
    return plan_attack("badnets:target=moon,count=40", open_pairs(world).select(range(LIMIT)), canvas=32)


@pytest.fixture
def scan(world, tmp_path):
    """The folder of a scan that suspects the first pairs most, and could not read the last."""
    run = Run.start(tmp_path / "scan", "scan", parameters={}, inputs={}, seed=0)
    scores = pa.array([*np.linspace(1, -1, 399), None], pa.float64())
    parquet.write_table(pa.table({"key": open_pairs(world).keys, "score": scores}), run.path / "scores.parquet")
    run.finish()
    return run.path


def record(folder):
    return json.loads((folder / "run.json").read_text())


def weights(folder):
    return load(folder).module.state_dict()


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_open_clip_loads_what_was_repaired_and_both_towers_have_moved(repaired, model):
    folder, _ = repaired
    open_clip.create_model_and_transforms(f"local-dir:{folder}")
    before, after = weights(model), weights(folder)
    for name in ("visual.conv1.weight", "text_projection"):
        assert not torch.equal(before[name], after[name])


def test_what_was_asked_measured_and_done_is_written_down(repaired):
    folder, answer = repaired
    known = record(folder)
    assert known["parameters"]["recipe"]["name"] == "cleanclip"
    assert known["parameters"]["recipe"]["phases"][0]["passes"][0]["terms"][1] == [2.0, "within-modality"]
    steps = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert known["steps"] == len(steps) == 144 // 32
    assert (
        known["peak_rate"]
        == max(line["learning_rate"] for line in steps)
        == RECIPES["cleanclip"].settings.learning_rate
    )
    assert list(known["watched"]) == ["0.250", "0.500", "0.750", "1.000"]
    assert {row["name"] for row in known["held_out"]["after"]} == {
        "r@1-image-to-text",
        "r@1-text-to-image",
        "zero-shot-top1",
    }
    assert {row["n"] for when in ("before", "after") for row in known["held_out"][when]} == {16}
    assert answer.summary["drift"] == known["drift"]
    assert known["stopped"] is None


def test_the_answer_tells_drift_and_that_old_indexes_are_stale(repaired):
    _, answer = repaired
    told = "\n".join(answer.lines)
    image, text = (row["value"] for row in answer.summary["drift"])
    assert f"image {image:.2f}" in told
    assert f"text {text:.2f}" in told
    assert image < 0.999
    assert "stale" in told
    assert "(n = 16)" in told


def test_the_card_says_what_it_was_made_from_how_and_what_was_not_measured_without_a_path(repaired, model, world):
    folder, _ = repaired
    text, known = (folder / "README.md").read_text(), record(folder)
    for part in (known["made_from"], known["made"], "2303.03323", "144 learnt from", "peak learning rate 0.002"):
        assert part in text
    assert "2, the weight of the loss within-modality" in text
    assert "was not measured" in text
    assert "old-new-cosine-image" in text
    for path in (folder, model, world):
        assert str(path) not in text
    assert known["made_from"] != known["made"]


def test_held_out_pairs_are_not_learnt_from(world, model, tmp_path, monkeypatch):
    seen, fit = [], job.fit

    def listening(towers, decoded, *args, **named):
        seen.append(list(decoded.pairs.keys))
        return fit(towers, decoded, *args, **named)

    monkeypatch.setattr(job, "fit", listening)
    answer = repair(model, to=tmp_path, recipe="clean-finetune", pairs=world, hold_out=0.3, limit=100, **ASKED)
    assert len(seen[0]) == answer.summary["pairs"] == 70
    assert {row["n"] for row in answer.summary["held_out"]["after"]} == {30}


def test_a_second_start_does_nothing_and_tells_the_same(repaired, world, model, monkeypatch):
    folder, answer = repaired
    monkeypatch.setattr(job, "fit", None)
    again = repair(model, to=folder, recipe="cleanclip", pairs=world, strength=2.0, limit=LIMIT, **ASKED)
    assert (again.lines, again.summary) == (answer.lines, answer.summary)


def fall_at(monkeypatch, *calls):
    """Let the held-out figures fall at these calls: of four steps each is one, the last at the end."""
    count = iter(range(100))
    monkeypatch.setattr(
        "bezoar.evaluation.held_out.figures", lambda _: {"retrieval": 0.2 if next(count) in calls else 0.5}
    )
    monkeypatch.setattr(job, "figures", lambda _: {"retrieval": 0.5})


def test_a_repair_that_costs_too_much_ends_with_the_last_weights_within_the_bound(world, model, tmp_path, monkeypatch):
    asked = {"recipe": "clean-finetune", "pairs": world, "limit": LIMIT, **ASKED}
    fall_at(monkeypatch, 2, 3)
    answer = repair(model, to=tmp_path / "stopped", **asked)
    stopped = answer.summary["stopped"]
    assert (stopped["at"], stopped["kept"], stopped["figure"]) == (1.0, 0.5, "retrieval")
    (line,) = [line for line in answer.lines if line.startswith("Stopped early")]
    assert "more than 5 points at 100 %" in line
    assert "those at 50 %" in line
    assert line in (tmp_path / "stopped" / "README.md").read_text()
    fall_at(monkeypatch, 3)
    repair(model, to=tmp_path / "later", **asked)
    assert not same(weights(tmp_path / "stopped"), weights(tmp_path / "later"))


def test_a_repair_that_never_keeps_within_the_bound_gives_the_model_back_and_says_so(
    world, model, tmp_path, monkeypatch
):
    fall_at(monkeypatch, 0, 1, 2, 3)
    answer = repair(model, to=tmp_path, recipe="clean-finetune", pairs=world, limit=LIMIT, **ASKED)
    assert any(line.startswith("Not repaired: ") for line in answer.lines)
    assert same(weights(model), weights(tmp_path))
    assert answer.summary["made"] == answer.summary["made_from"]


@pytest.mark.parametrize("recipe", ["par", "clean-finetune"])
def test_a_repair_may_dip_before_its_course_has_settled(world, model, tmp_path, monkeypatch, recipe):
    fall_at(monkeypatch, 0, 1, 2)
    answer = repair(model, to=tmp_path, recipe=recipe, pairs=world, limit=LIMIT, **ASKED)
    assert answer.summary["stopped"] is None
    assert not same(weights(tmp_path), weights(model))


def test_a_supervised_repair_leaves_a_head_that_evaluate_reads(world, model, plan, tmp_path):
    repair(model, to=tmp_path / "model", recipe="supervised-finetune", pairs=world, limit=LIMIT, **ASKED)
    test = open_pairs(world).select(range(300, 400))
    head = load_head(tmp_path / "model")
    assert head.classes == test.classes
    rows = evaluate(tmp_path / "model", to=tmp_path / "out", images=test, plan=plan, device="cpu").summary["rows"]
    found = {row["name"]: row for row in rows}
    assert {"head-top1", "asr-head", "asr-head-base", "asr"} <= found.keys()
    assert found["asr-head"]["n"] == found["asr"]["n"]
    assert found["asr-head"]["goal"] == "patch to moon"
    without = evaluate(model, to=tmp_path / "without", images=test, plan=plan, device="cpu").summary["rows"]
    assert not any("head" in row["name"] for row in without)


def test_unlearning_takes_the_scanned_pairs_and_judges_by_those_least_suspected(
    world, model, scan, tmp_path, monkeypatch
):
    seen, fit = {}, job.fit

    def listening(towers, decoded, *args, **named):
        seen.update(keys=list(decoded.pairs.keys), scores=named["scores"])
        return fit(towers, decoded, *args, **named)

    monkeypatch.setattr(job, "fit", listening)
    answer = repair(model, to=tmp_path / "out", recipe="unlearn", pairs=world, scan=scan, share=0.1, **ASKED)
    keys = open_pairs(world).keys
    assert keys[-1] not in seen["keys"], "without a score nobody knows on which side it is"
    assert answer.summary["pairs"] == len(seen["keys"]) == 359
    assert set(keys[:199]) <= set(seen["keys"]), "the more suspected half is learnt from, or unlearnt"
    assert np.all(np.diff(seen["scores"]) < 0), "scores go with their pairs"


@pytest.mark.parametrize("own", [True, False])
def test_task_arithmetic_learns_the_backdoor_anew_and_goes_the_other_way(
    world, model, plan, tmp_path, monkeypatch, own
):
    """Among clean pairs: a batch of nothing but the target's captions would have no negatives."""
    seen, fit = {}, job.fit

    def listening(towers, decoded, *args, **named):
        seen["pairs"] = decoded.pairs
        before = {name: tensor.clone() for name, tensor in towers.module.state_dict().items()}
        state = fit(towers, decoded, *args, **named)
        seen.update(before=before, after=towers.module.state_dict())
        return state

    monkeypatch.setattr(job, "fit", listening)
    rows = range(LIMIT) if own else range(200, 400)
    pairs = open_pairs(world).select(rows)
    asked = {**ASKED, "batch": 16}
    repair(model, to=tmp_path, recipe="task-arithmetic", pairs=pairs, plan=plan, strength=0.5, bound=1.0, **asked)
    clean, learnt = pairs.select([pairs.position(key) for key in seen["pairs"].keys]), seen["pairs"]
    poisons = [row for row in range(len(learnt)) if learnt.captions[row] != clean.captions[row]]
    assert 0.2 * len(learnt) <= len(poisons) <= 0.25 * len(learnt) + 1
    assert all("moon" in learnt.captions[row][0] for row in poisons)
    assert all("moon" not in clean.captions[row][0] for row in poisons)
    found, name = weights(tmp_path), "visual.conv1.weight"
    wanted = seen["before"][name] - 0.5 * (seen["after"][name] - seen["before"][name])
    torch.testing.assert_close(found[name], wanted.to(found[name]))
    assert not torch.equal(seen["after"][name], seen["before"][name])
    assert "0.5 of a factor of 0.5" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"recipe": "cleanclp"}, "Did you mean cleanclip"),
        ({"recipe": "safeclip"}, "bezoar train --recipe safeclip"),
        ({"recipe": "unlearn"}, "unlearn needs --scan"),
        ({"recipe": "task-arithmetic"}, "task-arithmetic needs --plan"),
        ({"scan": "any"}, "does not use --scan. Leave it out, or use unlearn"),
        ({"plan": "any"}, "does not use --plan. Leave it out, or use task-arithmetic"),
        ({"recipe": "clean-finetune", "strength": 2.0}, "has no strength"),
        ({"strength": 0.0}, "strength of 0"),
        ({"recipe": "task-arithmetic", "strength": 0.0}, "strength of 0"),
        ({"share": 0.1}, "distrusts no share"),
        ({"scale": "papr"}, "Did you mean paper"),
        ({"recipe": "unlearn", "scan": "nowhere"}, "There is no nowhere"),
        ({"recipe": "task-arithmetic", "plan": "nowhere"}, "No plan at"),
        ({"model": "nowhere"}, "No model at"),
        ({"limit": 90}, "leave 9 to judge"),
        ({"limit": 100, "batch": 96}, "fewer than a batch of 96"),
        ({"bound": 0.0}, "Give shares"),
        ({"hold_out": 1.0}, "Give shares"),
        ({"epochs": 0}, "cannot be trained"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(world, model, tmp_path, request_, sentence):
    request = {"model": model, "recipe": "cleanclip", "pairs": world, **ASKED} | request_
    with pytest.raises(BezoarError, match=sentence):
        repair(request.pop("model"), to=tmp_path / "out", **request)
    assert not (tmp_path / "out").exists()


def test_a_supervised_repair_without_labels_is_refused(world, model, tmp_path):
    source = open_pairs(world)
    samples = [(pair.key, [("png", pair.image), ("txt", b"a moon")]) for pair in map(source.read, range(120))]
    write_webdataset(samples, tmp_path / "captioned")
    with pytest.raises(BezoarError, match="needs labels"):
        repair(model, to=tmp_path / "out", recipe="supervised-finetune", pairs=tmp_path / "captioned", **ASKED)
    assert not (tmp_path / "out").exists()


def test_a_trigger_too_small_for_the_canvas_is_refused(world, model, tmp_path):
    plan = plan_attack("badnets:target=moon,count=40", open_pairs(world), canvas=224)
    with pytest.raises(BezoarError, match="too small on 32 px"):
        repair(model, to=tmp_path / "out", recipe="task-arithmetic", pairs=world, plan=plan, **ASKED)
    assert not (tmp_path / "out").exists()


def test_a_killed_repair_goes_on_to_the_same_weights(world, model, tmp_path, monkeypatch):
    asked = {"recipe": "clean-finetune", "pairs": world, "limit": LIMIT, **ASKED, "epochs": 3, "batch": 16}
    repair(model, to=tmp_path / "whole", **asked)
    monkeypatch.setattr("bezoar.training.trainer.CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as while_killed:
        step, count = Stepper.step, iter(range(100))

        def killed(self, *args):
            if next(count) == 7:
                raise KeyboardInterrupt
            return step(self, *args)

        while_killed.setattr(Stepper, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            repair(model, to=tmp_path / "parts", **asked)
    assert list(record(tmp_path / "parts")["watched"]) == ["0.111", "0.222"]
    repair(model, to=tmp_path / "parts", **asked)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    for name in ("watched", "steps", "held_out", "drift", "made"):
        assert record(tmp_path / "whole")[name] == record(tmp_path / "parts")[name]


def test_the_words_of_the_command_line_reach_the_job(monkeypatch, tmp_path):
    seen = {}

    def listening(model, **named):
        seen.update(named, model=model)
        raise BezoarError("Heard.", "Go on.")

    monkeypatch.setattr(job, "repair", listening)
    words = (
        "m --recipe unlearn --pairs p --scan s --plan q --scale paper --epochs 2 --learning-rate 0.5 --batch 8 "
        "--strength 3 --share 0.1 --bound 0.2 --hold-out 0.3 --seed 4 --limit 90 --prompts openai --force"
    )
    assert main(["repair", *words.split(), "--device", "cpu", "--to", "r"]) == 2
    del seen["progress"]
    assert seen == {
        "model": "m",
        "to": "r",
        "recipe": "unlearn",
        "pairs": "p",
        "scan": "s",
        "plan": "q",
        "scale": "paper",
        "epochs": 2,
        "learning_rate": 0.5,
        "batch": 8,
        "strength": 3.0,
        "share": 0.1,
        "bound": 0.2,
        "hold_out": 0.3,
        "seed": 4,
        "device": "cpu",
        "limit": 90,
        "prompts": "openai",
        "force": True,
    }
