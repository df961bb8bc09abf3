"""What is asked beside the grid: a cell replaces its own rows, and a table says what it was not measured on."""

import pytest
from studies.detection_beside import SCHEMAS, answered, file_of, keep_answer, read_answers
from studies.detection_beside_tables import people_table, rates_table, views_table
from studies.detection_figures import Figures

SAME = {"cell": "generated/badnets-120/100", "set": "generated", "attack": "badnets", "poisons": 120, "seed": 100}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("studies.detection_beside.PUBLISHED", tmp_path / "docs")
    monkeypatch.setattr("studies.detection_beside.TRIALS", tmp_path / "trials")
    return tmp_path


def view(value, views=12, share=1.0, passes=13.0, **given):
    return {"measure": "average-precision", "value": value, "views": views, "share": share, "passes": passes, **given}


def victims(asr):
    """Return the figures of a grid in which an attack succeeded so often of 100."""
    named = {**SAME, "setting": "", "encoder": "victim", "loop": "", "detector": "default", "measure": "auroc"}
    return Figures([{**named, "value": 0.5, "asr": asr / 100, "asr_n": 100}])


def test_a_cell_that_is_measured_again_replaces_its_own_rows_only(folder):
    keep_answer("views", SAME, [view(0.5), view(0.4, 1)])
    keep_answer("views", {**SAME, "cell": "other/100"}, [view(0.6)])
    keep_answer("views", SAME, [view(0.7)])
    rows = read_answers(folder / "docs")["views"]
    assert sorted((row["cell"], row["value"]) for row in rows) == [(SAME["cell"], 0.7), ("other/100", 0.6)]
    assert answered("views", 100) == {SAME["cell"], "other/100"}
    assert all(row.keys() == set(SCHEMAS["views"].names) and row["machine"] for row in rows)


def test_seeds_for_choosing_are_never_published(folder):
    keep_answer("views", {**SAME, "seed": 3}, [view(0.5)])
    assert file_of("views", 3).is_file()
    assert read_answers(folder / "docs") == {question: [] for question in SCHEMAS}


def test_views_are_told_by_number_and_share_with_what_they_cost():
    rows = [{**SAME, **view(0.9, seed=100)}, {**SAME, **view(0.7, seed=101)}, {**SAME, **view(0.8, 4, 0.2, 1.9)}]
    lines = views_table(victims(99), rows).splitlines()
    assert lines[2] == "| 12 | all | 13.0 | 0.800 <small>(0.700 … 0.900)</small> |"
    assert lines[3] == "| 4 | 20 % most suspected | 1.9 | 0.800 |"


def test_where_the_attack_did_not_take_views_are_not_told():
    rows = [{**SAME, **view(0.9)}]
    assert "not tested" in views_table(victims(60), rows)
    assert "0.900" not in views_table(victims(60), rows)


def test_the_first_seed_has_its_interval_and_the_others_their_tau():
    told = {"annotations": "CrowdFlower", "captions": "all", "score": "fit", "n": 1000, "pictures": 90}
    rows = [
        {"measure": "trained on", "annotations": "CrowdFlower", "n": 0, "seed": 100},
        {**told, "measure": "tau-b", "value": 0.12, "low": 0.1, "high": 0.14, "seed": 100},
        {**told, "measure": "rho", "value": 0.15, "seed": 100},
        {**told, "measure": "tau-b", "value": 0.11, "low": 0.1, "high": 0.14, "seed": 101},
    ]
    table = people_table(rows)
    assert "| CrowdFlower | all | fit | 1,000 | 90 | 0.120 <small>[0.100, 0.140]</small> | – | 0.150 | 0.110 |" in table
    assert "trained on: CrowdFlower 0." in table


def test_rates_are_means_over_victims_beside_what_the_reference_holds():
    same = {"rate": 0.01, "vectors": "simulated", "pairs": 1_000_000, "planted": 10_000, "detector": "slof"}
    rows = [
        {**same, "measure": measure, "value": value, "seed": seed}
        for measure, values in (("auroc", (0.9, 0.7)), ("average-precision", (0.4, 0.2)))
        for seed, value in zip((100, 101), values, strict=True)
    ]
    assert "| 1 % | simulated | 10,000 | 20.5 | 0.800 / 0.300 |" in rates_table(rows)
    assert "k = 16 sees up to 0.3 % and k = 256 sees up to 9.7 %" in rates_table(rows)


def test_without_rows_every_table_says_so():
    for table in (views_table(Figures([]), []), people_table([]), rates_table([])):
        assert table == "Not measured yet.\n"
