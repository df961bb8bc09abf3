"""Where figures of detection are kept: a detector that is measured again replaces its own rows, and no others."""

import pytest
from studies.detection import wanted
from studies.detection_results import SCHEMA, keep_rows, known, read_rows
from studies.detection_table import all_jobs

from bezoar.detection.detectors import DETECTORS

SAME = {"cell": "generated/badnets-120/100", "set": "generated", "attack": "badnets", "seed": 100, "asr": 0.9}


def row(detector, value, measure="auroc"):
    return {"detector": detector, "measure": measure, "value": value}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("studies.detection_results.PUBLISHED", tmp_path / "published.parquet")
    return tmp_path


def test_a_detector_that_is_measured_again_replaces_its_own_rows_only(folder):
    keep_rows(SAME, [row("slof", 0.5), row("slof", 0.1, "average-precision"), row("norm", 0.7)], folder)
    keep_rows({**SAME, "cell": "other/100"}, [row("slof", 0.6)], folder)
    keep_rows(SAME, [row("slof", 0.8)], folder)
    rows = read_rows(folder / "published.parquet")
    assert {(one["cell"], one["detector"], one["measure"]): one["value"] for one in rows} == {
        (SAME["cell"], "slof", "auroc"): 0.8,
        (SAME["cell"], "norm", "auroc"): 0.7,
        ("other/100", "slof", "auroc"): 0.6,
    }
    assert known(folder) == {SAME["cell"]: {"slof", "norm"}, "other/100": {"slof"}}
    assert rows[0].keys() == set(SCHEMA.names)
    assert all(one["machine"] for one in rows)


def test_seeds_for_choosing_are_never_published(folder):
    keep_rows({**SAME, "seed": 3}, [row("slof", 0.5)], folder)
    assert not (folder / "published.parquet").exists()
    assert len(read_rows(folder / "trials.parquet")) == 1
    assert known(folder) == {SAME["cell"]: {"slof"}}


def test_a_detector_that_came_into_the_table_since_is_measured_by_itself():
    job = next(all_jobs([100]))
    everything = set(wanted(job, set(), None))
    assert set(DETECTORS) | {"default", "encoding"} <= everything
    assert wanted(job, everything, None) == []
    assert wanted(job, everything - {"norm"}, None) == ["norm"]
    assert wanted(job, everything, ["default"]) == ["default"]
    assert set(wanted(job, everything, [])) == everything


def test_what_is_costly_is_measured_with_one_seed_and_clean_sets_by_the_default_alone():
    jobs = {job.name: job for job in all_jobs([100, 101])}
    costly = {name for name, one in DETECTORS.items() if one.cost > 1}
    assert costly
    assert costly <= set(wanted(jobs["generated/badnets-120/100"], set(), None))
    assert not costly & set(wanted(jobs["generated/badnets-120/101"], set(), None))
    assert not costly & set(wanted(jobs["generated/badnets-80/100"], set(), None))
    assert not costly & set(wanted(jobs["generated/badnets-120+wrong-5/100"], set(), None))
    assert not costly & set(wanted(jobs["generated/badnets-120/@independent/100"], set(), None))
    assert wanted(jobs["cifar10/never-poisoned/100"], set(), None) == ["default", "encoding"]
    assert wanted(jobs["generated/badnets-120/loop-share-2/100"], set(), None) == ["loop"]
