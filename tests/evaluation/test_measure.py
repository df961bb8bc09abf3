"""Rows: a value, its n, an interval that holds it, and another model's value beside it."""

import numpy as np
import pytest

from bezoar.evaluation.intervals import bootstrap, wilson
from bezoar.evaluation.measure import bare_at_one, mean, put_beside, rate, rates, told, told_as


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (3, 7), (7, 7), (1, 1)])
def test_a_rate_counts_its_hits(hits, n):
    row = rate("asr", np.arange(n) < hits, "how", "goal")
    assert (row.name, row.goal, row.value, row.n, row.protocol) == ("asr", "goal", hits / n, n, "how")
    assert (row.low, row.high) == wilson(hits, n)
    assert row.low <= row.value <= row.high


def test_rates_count_ranks_below_k_and_leave_out_k_beyond_the_gallery():
    ranks = np.array([0, 0, 3, 4, 8, 20])
    rows = rates(bare_at_one("asr"), ranks, 10, "how")
    assert [(row.name, row.value) for row in rows] == [("asr", 2 / 6), ("asr@5", 4 / 6)]
    assert [row.protocol for row in rows] == ["how; k: 1", "how; k: 5"]
    assert [row.name for row in rates("hit@{}".format, ranks, 30, "how")] == ["hit@1", "hit@5", "hit@10"]


def test_a_mean_has_the_interval_of_its_bootstrap():
    values = np.arange(50.0) ** 2
    row = mean("min-rank", values, "how", "goal", unit="rank", seed=3)
    assert (row.value, row.n, row.unit) == (values.mean(), 50, "rank")
    assert (row.low, row.high) == bootstrap(values, 3, "min-rank", "goal")
    assert row.low < row.value < row.high


def test_another_models_value_stands_beside_the_row_of_the_same_name_and_goal():
    def rows(hits):
        return [rate(name, np.arange(10) < hits, "how", goal) for name in ("asr", "base") for goal in ("a", "b")]

    theirs = [*rows(2)[:3], rate("asr", np.ones(3, bool), "how", "c")]
    joined = put_beside(rows(9), theirs)
    assert [row.value for row in joined] == [0.9] * 4
    assert [row.beside and row.beside.value for row in joined] == [0.2, 0.2, 0.2, None]
    assert (joined[0].beside.low, joined[0].beside.high) == wilson(2, 10)


def test_shares_are_told_in_percent_and_ranks_as_they_are():
    assert told_as("share", 0.912, 0.881, 0.936) == " 91.2 % [88.1, 93.6]"
    assert told_as("rank", 2.187, 1.8, 2.64) == "   2.19 [1.80, 2.64]"


def test_a_share_is_told_in_percent():
    assert told(0.912, 0.881, 0.936) == " 91.2 % [88.1, 93.6]"
    assert told(1.0, 0.9, 1.0) == "100.0 % [90.0, 100.0]"
