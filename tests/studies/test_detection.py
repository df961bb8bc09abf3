"""The grid of detection on a tiny world: what a cell leaves, from the training to the page. Figures are no claims."""

from dataclasses import replace

import numpy as np
import pytest
from studies import detection, grid
from studies.detection_pages import filled
from studies.detection_results import keep_rows, read_rows
from studies.detection_table import Job, Plant

DETECTORS = ("default", "encoding", "slof", "slof:unit", "cosine-filter", "strip", "abl")
PLANT = Plant("generated", "badnets", "badnets:target=moon,count={n}", (20,), 20, 3)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Sets of 300 pairs, trained for two passes, in folders of their own."""
    folder = tmp_path_factory.mktemp("grid")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("studies.grid.RUNS", folder / "grid")
        patched.setattr("studies.grid.PAIRS", 300)
        patched.setattr("studies.grid.TEST_PAIRS", 120)
        patched.setattr("studies.detection.RUNS", folder / "detection")
        patched.setattr("studies.detection_results.PUBLISHED", folder / "published.parquet")
        patched.setattr("studies.detection.CLEAN_SAMPLE", 50)
        few = replace(grid.SETS["generated"], epochs=2, canvas=32)
        patched.setattr("studies.detection_table.PLANTS", (PLANT,))
        patched.setitem(grid.SETS, "generated", few)
        yield folder


@pytest.fixture(scope="module")
def job():
    return Job(PLANT.cell(20).at(100), "badnets", 20)


@pytest.fixture(scope="module")
def rows(tiny, job):
    found = detection.run(job, list(DETECTORS))
    keep_rows(detection.described(job), found, tiny / "detection")
    return read_rows(tiny / "published.parquet")


def test_every_detector_leaves_its_figures(rows):
    by_detector = {}
    for row in rows:
        by_detector.setdefault(row["detector"], set()).add(row["measure"])
    areas = {"auroc", "average-precision", "fpr-at-95-tpr", "fpr-at-99-tpr", "fpr-at-100-tpr"}
    areas |= {"recall-at-5-percent-dropped", "recall-at-2-percent-dropped", "seconds"}
    decision = {"flagged", "clean-lost-at-fdr", "realised-fdp", "recall-at-fdr"}
    assert by_detector["default"] == areas | decision
    assert by_detector["encoding"] == {"seconds"}
    for name in ("slof", "slof:unit", "cosine-filter", "strip", "abl"):
        assert by_detector[name] == areas, name


def test_rows_say_what_was_looked_at_and_how_far_the_attack_took(rows):
    for row in rows:
        assert (row["set"], row["attack"], row["poisons"], row["seed"]) == ("generated", "badnets", 20, 100)
        assert (row["pairs"], row["planted"], row["encoder"], row["setting"]) == (300, 20, "victim", "")
        assert 0 <= row["asr_low"] <= row["asr"] <= row["asr_high"] <= 1
    samples = {row["detector"]: row["sample"] for row in rows if row["measure"] == "auroc"}
    assert samples["slof"] is None
    assert samples["strip"] == 20 + 50


def test_the_figures_are_those_of_the_scans_own_summary(rows, job, tiny):
    import bezoar

    model, plan = detection.victim(job)
    pairs = grid.training_pairs(job.cell).with_plan(plan)
    summary = bezoar.scan(pairs, to=tiny / "again", model=model, plan=plan, detectors="slof", share=0.02, seed=100)
    default = {row["measure"]: row["value"] for row in rows if row["detector"] == "default"}
    slof = {row["measure"]: row["value"] for row in rows if row["detector"] == "slof"}
    for own, told in ((default, summary.summary), (slof, summary.summary["detectors"]["slof"])):
        assert own["auroc"] == pytest.approx(told["auroc"], rel=1e-5)
        assert own["average-precision"] == pytest.approx(told["average_precision"], rel=1e-5)  # six digits are kept
        assert own["recall-at-2-percent-dropped"] == pytest.approx(told["recall_at_drop"])
    assert default["flagged"] == summary.summary["flagged"]


def test_the_page_is_filled_from_them(rows):
    text = "".join(f"<!-- {mark} -->\n<!-- end -->\n" for mark in ("default", "detectors", "all", "machines"))
    made = filled(text, rows)
    assert "badnets, 20" in made
    assert "not tested" in made  # two passes do not make a backdoor


def test_a_cell_costs_a_training_only_where_it_has_no_model(rows, job):
    assert detection.cost(job) < detection.cost(replace(job, loop="share-2"))
    assert detection.cost(job) < detection.cost(replace(job, cell=replace(job.cell, attack="another")))


def test_a_look_by_a_stranger_is_another_cell(job, tiny):
    other = replace(job, encoder="independent")
    assert detection.independent(job) != detection.victim(job)[0]
    found = detection.run(other, ["default", "slof"])
    assert {row["measure"] for row in found} >= {"auroc", "flagged"}
    assert other.name != job.name


def test_the_loop_drops_what_it_says_and_trains_without_it(job, tiny, rows):
    told = {}
    for loop in ("share-2", "random-2"):
        found = detection.run(replace(job, loop=loop), ["loop"])
        told[loop] = {row["measure"]: row for row in found}
    for one in told.values():
        assert (one["dropped"]["value"], one["dropped"]["n"]) == (6, 300)
        assert 14 <= one["planted-left"]["value"] <= one["planted-left"]["n"] == 20
        assert {"asr-after", "accuracy-before", "accuracy-after"} <= one.keys()


def test_wrong_captions_are_in_the_pairs_that_are_trained_on_and_scanned(job, tiny):
    noised = replace(job, cell=replace(job.cell, wrong=0.2, attack="badnets-20+wrong-20"))
    plain, wrong = (grid.training_pairs(one.cell) for one in (job, noised))
    moved = np.mean([one != other for one, other in zip(plain.captions, wrong.captions, strict=True)])
    assert 0.15 < moved <= 0.2
    assert noised.setting == "+wrong-20"
    assert noised.name == "generated/badnets-20+wrong-20/100"
