"""The grid: every attack has a cell, cells tell themselves apart, and figures are kept where they belong."""

import pytest
from studies.cells import CELLS, CLEAN, SETS, Cell
from studies.grid import all_cells, cost
from studies.results import keep_rows, known_cells, read_rows

from bezoar.attacks import ATTACKS
from bezoar.attacks.presets import Attack

ROW = {"measure": "asr", "value": 0.5, "low": 0.4, "high": 0.6, "n": 100, "pairs": 10, "planted": 2}


def test_every_attack_of_the_table_is_measured():
    measured = {str(cell.spec).partition(":")[0] for cell in CELLS}
    assert {attack.name for attack in ATTACKS} - {"custom"} <= measured


def test_every_cell_names_an_attack_that_exists_and_a_set_that_has_a_never_poisoned_model():
    table: dict[str, Attack] = {attack.name: attack for attack in ATTACKS}
    for cell in CELLS:
        assert cell.set in SETS
        assert cell.set in CLEAN
        assert cell.spec is None or cell.spec.partition(":")[0] in table


def test_no_two_cells_have_one_name_and_the_never_poisoned_model_comes_before_those_that_need_it():
    names = [cell.name for cell in all_cells([100, 101, 102])]
    assert len(names) == len(set(names))
    for place, cell in enumerate(all_cells([100, 101, 102])):
        assert names.index(cell.clean.name) <= place
        assert cost(cell) > 0


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr("studies.results.PUBLISHED", tmp_path / "published.parquet")
    return tmp_path


def test_a_cell_that_is_measured_again_replaces_its_own_rows_only(folders):
    first, other = Cell("cifar10", "badnets", "x", seed=100), Cell("cifar10", "sig", "x", seed=100)
    keep_rows(first, [ROW, ROW], folders)
    keep_rows(other, [ROW], folders)
    keep_rows(first, [{**ROW, "value": 0.75}], folders)
    rows = read_rows(folders / "published.parquet")
    assert {row["cell"]: row["value"] for row in rows} == {first.name: 0.75, other.name: 0.5}
    assert known_cells(folders) == {first.name, other.name}


def test_seeds_for_choosing_are_never_published(folders):
    keep_rows(Cell("cifar10", "badnets", "x", seed=3), [ROW], folders)
    assert not (folders / "published.parquet").exists()
    assert len(read_rows(folders / "trials.parquet")) == 1
