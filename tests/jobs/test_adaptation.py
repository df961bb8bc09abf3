"""Does it come back: what a model goes on learning from, how long and fast, and what is told of it."""

import json

import pytest

import bezoar.jobs.adaptation as job
from bezoar.attacks import plan_attack
from bezoar.cli import main
from bezoar.jobs.adaptation import evaluate_after_adaptation
from bezoar.jobs.repair import repair
from bezoar.models import create, save
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError

GIVEN = {"steps": 4, "learning_rate": 1e-3, "device": "cpu"}


@pytest.fixture(scope="module")
def model(clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save(clip, folder)
    return folder


@pytest.fixture(scope="module")
def sets(world):
    """Benign pairs, and test pictures."""
    pairs = open_pairs(world)
    return {"benign": pairs.select(range(300)), "images": pairs.select(range(300, 400))}


@pytest.fixture(scope="module")
def plan(world):
    return plan_attack("badnets:target=moon,count=20", open_pairs(world), canvas=32)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    save(create("tiny-resnet", side=32, seed=9), folder)
    return folder


@pytest.fixture(scope="module")
def adapted(model, other, sets, plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapted")
    asked = {"plan": plan, "beside": other, "poisons": (5, 20), **sets, **GIVEN}
    return folder, asked, evaluate_after_adaptation(model, to=folder, **asked)


def by_name(answer):
    return {row["name"]: row for row in answer.summary["rows"]}


def curves(folder):
    return json.loads((folder / "adaptation.json").read_text())


def test_the_worst_of_the_curves_is_what_is_told_of_both_models(adapted):
    folder, _, answer = adapted
    rows, found = by_name(answer), curves(folder)
    for row, ways in (
        ("asr-after-adaptation", ["peak", "tenth"]),
        ("asr-after-5-poisons", ["5-poisons"]),
        ("asr-after-20-poisons", ["20-poisons"]),
    ):
        for who, told in (("model", rows[row]), ("beside", rows[row]["beside"])):
            points = [one for way in ways for one in found[who][way]["points"].values()]
            values = [next(asked["value"] for asked in point if asked["name"] == "asr") for point in points]
            before = rows["asr"] if who == "model" else rows["asr"]["beside"]
            assert told["value"] == max([before["value"], *values])
            assert told["low"] <= told["value"] <= told["high"]
        assert rows[row]["n"] == rows["asr"]["n"]
    end = found["model"]["peak"]["points"]["1.000"]
    assert rows["zero-shot-top1-after-adaptation"]["value"] == end[0]["value"]
    assert end[0]["name"] == "zero-shot-top1"


def test_each_way_is_measured_at_its_points_and_walked_as_long_as_asked(adapted):
    folder, _, answer = adapted
    for who in ("model", "beside"):
        for way, curve in curves(folder)[who].items():
            assert curve["steps"] == GIVEN["steps"]
            assert list(curve["points"]) == ["0.250", "0.500", "0.750", "1.000"]
            log = (folder / "courses" / who / way / "log.jsonl").read_text().splitlines()
            rates = [json.loads(line)["learning_rate"] for line in log]
            assert max(rates) == pytest.approx(1e-4 if way == "tenth" else 1e-3)
    assert "4 steps at learning rate 0.001" in by_name(answer)["asr-after-adaptation"]["protocol"]


def test_poisons_of_the_plans_kind_are_among_the_benign_pairs(model, sets, plan, tmp_path, monkeypatch):
    seen, fit = {}, job.fit

    def listening(towers, decoded, *args, **named):
        seen[named["name"]] = decoded.pairs
        return fit(towers, decoded, *args, **named)

    monkeypatch.setattr(job, "fit", listening)
    evaluate_after_adaptation(model, to=tmp_path, plan=plan, poisons=(5,), **sets, **GIVEN)
    assert seen.keys() == {"peak", "tenth", "5-poisons"}
    assert seen["peak"].keys == seen["tenth"].keys == seen["5-poisons"].keys
    assert not seen["peak"].edited
    changed = [
        place
        for place, (one, two) in enumerate(zip(seen["peak"].captions, seen["5-poisons"].captions, strict=True))
        if one != two
    ]
    assert len(changed) == 5
    assert all("moon" in seen["5-poisons"].captions[place][0] for place in changed)
    assert set(seen["peak"].keys) <= set(sets["benign"].keys)


@pytest.mark.parametrize(("steps", "epochs", "pairs"), [(3, 1, 192), (4, 1, 256), (5, 2, 192), (9, 3, 192)])
def test_whole_epochs_make_up_the_steps(sets, steps, epochs, pairs):
    lesson, settings = job._lesson(sets["benign"], job._Length(steps, 1e-3, 64), 0)
    assert (settings.epochs, len(lesson)) == (epochs, pairs)
    assert steps <= epochs * (pairs // 64) < steps + epochs


def test_length_and_rate_are_those_of_the_repair(model, sets, plan, tmp_path):
    repair(model, to=tmp_path / "repaired", recipe="par", pairs=sets["benign"], epochs=1, batch=32, device="cpu")
    known = json.loads((tmp_path / "repaired" / "run.json").read_text())
    answer = evaluate_after_adaptation(
        tmp_path / "repaired", to=tmp_path / "out", plan=plan, poisons=(), device="cpu", **sets
    )
    found = curves(tmp_path / "out")["model"]
    assert found["peak"]["steps"] == known["steps"] == 8
    assert f"8 steps at learning rate {known['peak_rate']:g}" in by_name(answer)["asr-after-adaptation"]["protocol"]
    assert not any("poisons" in name for name in by_name(answer))


def test_a_second_start_trains_nothing_and_an_interrupted_one_goes_on(adapted, model, tmp_path, monkeypatch):
    folder, asked, answer = adapted
    fit, count = job.fit, iter(range(100))

    def killed(*args, **named):
        if next(count) == 3:
            raise KeyboardInterrupt
        return fit(*args, **named)

    with monkeypatch.context() as while_killed:
        while_killed.setattr(job, "fit", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate_after_adaptation(model, to=tmp_path, **asked)
    again = []
    monkeypatch.setattr(job, "fit", lambda *args, **named: again.append(named["name"]) or fit(*args, **named))
    later = evaluate_after_adaptation(model, to=tmp_path, **asked)
    assert len(again) == 8 - 3, "of two models' four ways three were finished"
    assert later.summary["rows"] == answer.summary["rows"]
    monkeypatch.setattr(job, "fit", None)
    assert evaluate_after_adaptation(model, to=folder, **asked).lines == answer.lines


def test_what_cannot_be_planted_anew_is_said(model, world, sets, tmp_path):
    plan = plan_attack("targeted:target=moon,images=3,copies=2", open_pairs(world), canvas=32)
    answer = evaluate_after_adaptation(model, to=tmp_path, plan=plan, planted=world, **sets, **GIVEN)
    assert "psr-after-adaptation" in by_name(answer)
    assert any("not tested" in line for line in answer.lines)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"steps": None}, "Give --steps and --learning-rate"),
        ({"steps": 0}, "Give numbers above 0"),
        ({"learning_rate": float("nan")}, "Give numbers above 0"),
        ({"benign": "nowhere"}, "does not exist"),
        ({"plan": "nowhere"}, "No plan at"),
        ({"beside": "nowhere"}, "No model at"),
        ({"images": None}, "nothing to measure on"),
        ({"poisons": (400,)}, "has room for"),
        ({"jpeg": 0}, "no quality 0"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(model, sets, plan, tmp_path, request_, sentence):
    with pytest.raises(BezoarError, match=sentence):
        evaluate_after_adaptation(model, to=tmp_path / "out", **{"plan": plan, **sets, **GIVEN, **request_})
    assert not (tmp_path / "out").exists()


def test_test_pictures_and_too_few_pairs_are_no_benign_pairs(model, sets, plan, tmp_path):
    for benign, sentence in ((sets["images"], "learnt by heart"), (sets["benign"].select(range(9)), "fewer than")):
        with pytest.raises(BezoarError, match=sentence):
            evaluate_after_adaptation(
                model, to=tmp_path / "out", plan=plan, images=sets["images"], benign=benign, **GIVEN
            )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--steps", "3"], "--steps is for --after-adaptation"),
        (["--learning-rate", "0.1"], "--learning-rate is for --after-adaptation"),
        (["--after-adaptation", "b"], "Name it: --plan"),
        (["--after-adaptation", "b", "--plan", "p", "--trigger", "t"], "--trigger does not go with"),
        (["--after-adaptation", "b", "--plan", "p", "--probe", "t"], "--probe does not go with"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, capsys, words, told):
    assert main(["evaluate", "m", "--images", "i", "--to", str(tmp_path / "out"), *words]) == 2
    assert told in capsys.readouterr().err


def test_the_words_of_the_command_line_reach_the_job(monkeypatch, capsys, tmp_path):
    seen = {}

    def listening(model, **named):
        seen.update(named, model=model)
        raise BezoarError("Heard.", "Go on.")

    monkeypatch.setattr(job, "evaluate_after_adaptation", listening)
    words = "m --after-adaptation b --plan p --images i --beside o --steps 9 --learning-rate 0.5 --seed 3 --quiet"
    assert main(["evaluate", *words.split(), "--to", str(tmp_path)]) == 2
    given = {name: seen[name] for name in ("model", "benign", "plan", "images", "beside", "steps", "learning_rate")}
    assert list(given.values()) == ["m", "b", "p", "i", "o", 9, 0.5]
    assert seen["seed"] == 3
