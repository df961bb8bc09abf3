"""The tables of the attacks say what the rows say, and where there are none, "not measured yet". Rows are made up."""

import pytest
from studies.attack_tables import (
    NOT_YET,
    Column,
    attack_tables,
    both,
    cell_table,
    figure,
    modality_tables,
    preset_of,
    summary_table,
)
from studies.cells import CELLS, Cell
from studies.results import SCHEMA

from bezoar.evaluation.intervals import wilson


def cell_of(name, where="cifar10"):
    return next(cell for cell in CELLS if (cell.attack, cell.set) == (name, where))


def made_up(cell: Cell, seed: int, measure: str, value: float, n: int = 200, goal: str | None = None, **changed):
    low, high = wilson(round(value * n), n) if value <= 1 else (value - 1, value + 1)
    row = {
        "cell": cell.at(seed).name,
        "set": cell.set,
        "attack": cell.attack,
        "spec": cell.spec,
        "measure": measure,
        "goal": goal,
        "protocol": "made up",
        "machine": "none",
        "value": value,
        "low": low,
        "high": high,
        "beside": None,
        "beside_low": None,
        "beside_high": None,
        "seconds": 1.0,
        "seed": seed,
        "pairs": 1000,
        "planted": 20,
        "n": n,
        "jpeg": None,
    }
    assert row.keys() == set(SCHEMA.names)
    return row | changed


def lines(table):
    """The cells of a Markdown table's lines, without its head."""
    rows = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_every_preset_with_a_page_has_a_cell_that_measures_it():
    from bezoar.attacks import ATTACKS

    assert {attack.name for attack in ATTACKS} - {"custom"} <= {cell.attack for cell in CELLS}
    assert {preset_of(cell) for cell in CELLS} - {""} <= {attack.name for attack in ATTACKS}


@pytest.mark.parametrize("preset", sorted({preset_of(cell) for cell in CELLS} - {""}))
def test_without_figures_every_cell_is_named_and_not_measured(preset):
    text = attack_tables(preset, [])
    cells = [cell for cell in CELLS if preset_of(cell) == preset and cell.learn is None]
    assert text.count(NOT_YET) == len(cells)
    assert all(str(cell.spec) in text for cell in cells)
    assert "%" not in text


def test_a_line_is_one_seed_with_interval_n_and_the_never_poisoned_beside_it():
    cell = cell_of("badnets")
    beside = {"beside": 0.25, "beside_low": 0.2, "beside_high": 0.3}
    rows = [made_up(cell, seed, "asr", value, **beside) for seed, value in ((101, 0.5), (100, 0.75))]
    text = cell_table(cell, rows)
    assert "1 of 3 seeds: not measured yet" in text
    assert "| seed | ASR, n = 200 | never poisoned |" in text
    low, high = (f"{100 * end:.1f}" for end in wilson(150, 200))
    assert lines(text)[0] == ["100", f"75.0 % [{low}, {high}]", "25.0 % [20.0, 30.0]"]
    assert [line[0] for line in lines(text)] == ["100", "101"]


def test_n_stands_with_each_figure_where_the_seeds_differ_in_it():
    cell = cell_of("badnets", "generated")
    rows = [made_up(cell, 100, "asr", 0.5, n=200), made_up(cell, 101, "asr", 0.5, n=100)]
    assert "| seed | ASR |" in cell_table(cell, rows)
    assert [line[1].split(", n = ")[1] for line in lines(cell_table(cell, rows))] == ["200", "100"]


def test_goals_and_ways_to_the_model_are_lines_of_their_own():
    cell = cell_of("multi-trigger-multi-target")
    rows = [made_up(cell, 100, "asr", 0.5, goal=goal) for goal in ("patch to a", "warp to b")]
    assert [line[1] for line in lines(cell_table(cell, rows))] == ["patch to a", "warp to b"]
    cell = cell_of("badnets")
    rows = [made_up(cell, 100, "asr", 0.5, goal="patch to a", jpeg=jpeg) for jpeg in (75, None)]
    assert [line[1] for line in lines(cell_table(cell, rows))] == ["as they are", "as JPEG 75"]


def test_several_goals_are_taken_together_by_their_n():
    cell = cell_of("multi-trigger-multi-target")
    rows = [made_up(cell, 100, "asr", 1.0, n=100, goal="a"), made_up(cell, 100, "asr", 0.0, n=300, goal="b")]
    together = figure(rows, Column("ASR", ("asr",)))
    assert (together.value, together.n, together.interval) == (0.25, 400, wilson(100, 400))
    ranks = [made_up(cell, 100, "min-rank", value, goal=goal) for value, goal in ((2.0, "a"), (4.0, "b"))]
    assert figure(ranks, Column("MinRank", ("min-rank",))).told() == "3.00"


def test_a_column_without_a_row_is_no_figure():
    rows = [made_up(cell_of("badnets"), 100, "asr", 0.5)]
    success, clean = both("ASR", "asr")
    assert figure(rows, success) is not None
    assert figure(rows, clean) is None
    assert figure(rows, Column("PSR", ("psr",))) is None


def test_figures_of_an_older_specification_are_not_shown():
    cell = cell_of("badnets")
    assert NOT_YET in cell_table(cell, [made_up(cell, 100, "asr", 0.5, spec="badnets:target=airplane,count=9")])


def test_the_summary_has_a_line_a_preset_and_set_with_mean_and_range():
    cell = cell_of("badnets")
    rows = [made_up(cell, seed, "asr", value) for seed, value in ((100, 0.5), (101, 0.6), (102, 1.0))]
    rows += [made_up(cell, 100, "asr", 0.0, jpeg=75), made_up(cell, 100, "zero-shot-top1", 0.5)]
    body = lines(summary_table(["badnets", "sig"], rows))
    assert [line[:2] for line in body] == [
        ["[badnets](badnets.md)", "CIFAR-10"],
        ["[badnets](badnets.md)", "generated pairs"],
        ["[sig](sig.md)", "CIFAR-10"],
    ]
    assert body[0][2:7] == ["20 of 1,000", "3", "ASR", "200", "70.0 % (50.0 … 100.0)"]
    assert body[0][8].startswith("50.0 % [")
    assert body[1][2] == body[2][2] == NOT_YET


def test_neither_tower_is_the_never_poisoned_model():
    cell = cell_of("attack-1-tuned-image", "generated")
    beside = {"beside": 0.1, "beside_low": 0.0, "beside_high": 0.2}
    rows = [made_up(cell, seed, "hit@10", 0.5, goal="fish to moon", **beside) for seed in (100, 101)]
    body = lines(modality_tables(rows))
    at = {line[1]: line for line in body if line[0] == "[attack-1](attack-1.md)"}
    assert at["both"][2] == at["text only"][2] == NOT_YET
    assert (at["image only"][2], at["image only"][5]) == ("2", "50.0 % (50.0 … 50.0)")
    assert at["none"][5] == "10.0 % (10.0 … 10.0)"
