"""The table of the terminal: goal by goal, with what stands beside."""

from bezoar.evaluation.measure import Beside, Measure
from bezoar.evaluation.table import table_of


def test_rows_stand_under_their_goal_and_those_of_none_come_first():
    rows = [
        Measure("asr", 0.9, 10, 0.6, 0.98, "how", "patch to moon"),
        Measure("hit@10", 0.5, 10, 0.2, 0.8, "how", "star to moon"),
        Measure("zero-shot-top1", 0.8, 1200, 0.7, 0.9, "how"),
        Measure("min-rank", 2.5, 10, 1.5, 3.5, "how", "star to moon", "rank", Beside(49.0, 40.0, 60.0)),
        Measure("z-score-sd", 2.0, 10, 1.5, 2.5, "how", "patch to moon", "z-score"),
    ]
    lines = table_of(rows)
    assert [line.split()[0] for line in lines] == [
        "zero-shot-top1",
        "patch",
        "asr",
        "z-score-sd",
        "star",
        "hit@10",
        "min-rank",
    ]
    assert "80.0 % [70.0, 90.0]" in lines[0]
    assert lines[0].endswith("n = 1,200")
    assert lines[4] == "star to moon"
    assert lines[6].endswith("2.50 [1.50, 3.50]     n = 10   beside 49.00 [40.00, 60.00]")
