from __future__ import annotations

import pytest
from benchmarks.__main__ import TABLE, choose, main
from benchmarks.measure import Benchmark, Result, shortest

from bezoar.run import BezoarError


def test_names_are_different_and_can_be_chosen():
    names = [row.name for row in TABLE]
    assert len(set(names)) == len(names)
    assert choose(["all"]) == list(TABLE)
    assert [row.name for row in choose(names[:2])] == names[:2]


def test_an_unknown_name_gets_a_sentence(capsys):
    with pytest.raises(BezoarError, match="Did you mean detectors-against-product"):
        choose(["detectors-against-produkt"])
    assert main([]) == 2
    assert "Known: all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bound", "ratio", "holds"),
    [("at most", 2.0, True), ("at most", 2.1, False), ("at least", 2.0, True), ("at least", 1.9, False)],
)
def test_a_report_says_whether_the_goal_holds(bound, ratio, holds):
    report = Benchmark("x", bound, 2.0, lambda: Result(ratio, {"runs": 1})).report()
    assert set(report) == {"name", "ratio", "goal", "holds", "details"}
    assert report["holds"] is holds
    assert report["goal"] == f"{bound} 2"
    assert report["details"]["runs"] == 1
    assert report["details"]["machine"]


def test_the_sides_take_turns_and_the_shortest_counts():
    times = iter([0, 5, 10, 11, 20, 22, 30, 37])
    order = []
    best = shortest(lambda: order.append("a"), lambda: order.append("b"), runs=2, clock=lambda: next(times))
    assert order == ["a", "b", "a", "b"]
    assert best == [2, 1]


def test_where_nothing_was_asked_nothing_is_met():
    report = Benchmark("free", "at most", None, lambda: Result(3.0, {})).report()
    assert report["goal"] is None
    assert report["holds"] is None
