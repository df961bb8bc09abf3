"""The worst on the way: taken over the right courses and points, and told as it was."""

from dataclasses import replace

import pytest
from tests.evaluation.words import by_name

from bezoar.evaluation.adaptation import Walked, adaptation_rows, asked_on_the_way, courses
from bezoar.evaluation.measure import Measure

ROWS = [
    Measure("zero-shot-top1", 0.9, 100, 0.8, 0.95, "queries: 100"),
    Measure("asr", 0.02, 90, 0.0, 0.1, "queries: 90", "g"),
    Measure("asr-base", 0.01, 90, 0.0, 0.1, "queries: 90", "g"),
    Measure("asr", 0.3, 90, 0.2, 0.4, "queries: 90", "h"),
]


def at(accuracy, first, second=0.0):
    values = {None: accuracy, "g": first, "h": second}
    return [replace(row, value=values[row.goal]) for row in asked_on_the_way(ROWS)]


def walked(curves):
    return [Walked(one, 50, 640, curves[one.name]) for one in courses(1e-3, (5, 20))]


CURVES = {
    "peak": {0.5: at(0.8, 0.2), 1.0: at(0.85, 0.1)},
    "tenth": {0.5: at(0.9, 0.25), 1.0: at(0.9, 0.05)},
    "5-poisons": {0.5: at(0.9, 0.4), 1.0: at(0.9, 0.3)},
    "20-poisons": {0.5: at(0.9, 0.6), 1.0: at(0.9, 0.99)},
}


def test_a_repair_is_followed_at_its_rate_and_at_a_tenth_and_with_poisons_at_its_rate():
    assert [(one.name, one.rate, one.poisons) for one in courses(1e-3, (5,))] == [
        ("peak", 1e-3, 0),
        ("tenth", pytest.approx(1e-4), 0),
        ("5-poisons", 1e-3, 5),
    ]


def test_the_worst_is_taken_over_both_rates_and_each_number_of_poisons_has_its_own():
    rows = {row.name: row.value for row in adaptation_rows(ROWS, walked(CURVES)) if row.goal in (None, "g")}
    assert rows == {
        "asr-after-adaptation": 0.25,
        "asr-after-5-poisons": 0.4,
        "asr-after-20-poisons": 0.99,
        "zero-shot-top1-after-adaptation": 0.85,
    }


def test_the_model_as_it_was_is_a_point_of_the_way():
    found = next(
        row for row in adaptation_rows(ROWS, walked(CURVES)) if (row.name, row.goal) == ("asr-after-adaptation", "h")
    )
    assert (found.value, found.low, found.high) == (0.3, 0.2, 0.4)
    assert "before the first step" in found.protocol


def test_the_protocol_says_rate_steps_pairs_and_where_on_the_way():
    rows = by_name([row for row in adaptation_rows(ROWS, walked(CURVES)) if row.goal in (None, "g")])
    told = rows["asr-after-adaptation"].protocol
    assert told.startswith("queries: 90; adaptation: plain CLIP on 640 benign pairs")
    for part in (
        "50 steps at learning rate 0.001",
        "at learning rate 0.0001",
        "highest of 5 points",
        "at 50 % of the way",
    ):
        assert part in told
    assert "20 of them planted anew" in rows["asr-after-20-poisons"].protocol
    assert "planted" not in told
