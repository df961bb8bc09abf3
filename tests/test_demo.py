"""The demo runs from end to end, writes what it promises, and goes on where it stopped."""

import json

import pytest

from bezoar.attacks import Plan
from bezoar.demo import demo
from bezoar.pairs import open_pairs


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_the_summary_holds_every_promised_figure(story):
    figures = summary(story)
    for name in (
        "clean_accuracy_before",
        "asr_before",
        "auroc",
        "average_precision",
        "recall_at_drop",
        "dropped_share",
        "clean_accuracy_after",
        "asr_after",
        "asr_never_poisoned",
        "asr_random_drop",
    ):
        assert 0 <= figures[name] <= 1, name
    assert figures["seconds"] > 1
    assert figures["dropped_share"] <= 0.02


def test_the_recall_is_what_the_cleaned_set_really_lost(story):
    plan = Plan.load(story / "poisoned")
    kept = set(open_pairs(story / "cleaned").keys)
    assert len(kept) == 980
    found = sum(key not in kept for key in plan.keys) / len(plan.keys)
    assert found == pytest.approx(summary(story)["recall_at_drop"])


def test_the_four_models_differ_only_in_what_they_were_trained_on(story):
    records = {
        name: json.loads((story / "models" / name / "run.json").read_text())
        for name in ("never-poisoned", "poisoned", "after-drop", "random-drop")
    }
    assert len({record["inputs"]["pairs"] for record in records.values()}) == 4
    settings = [record["parameters"]["settings"] | {"seed": None} for record in records.values()]
    assert all(one == settings[0] for one in settings)


def test_the_page_tells_the_figures_of_the_summary(story):
    page = (story / "demo.html").read_text()
    assert f"{summary(story)['clean_accuracy_before']:.1%}"[:-1] in page
    assert "scan/report.html" in page


def test_a_second_start_does_nothing_again(story):
    before = {path: path.stat().st_mtime_ns for path in story.rglob("*") if path.is_file()}
    demo(to=story, seed=5, pairs=1000, planted=40, epochs=2, controls=True)
    after = {path: path.stat().st_mtime_ns for path in story.rglob("*") if path.is_file()}
    assert before == after
