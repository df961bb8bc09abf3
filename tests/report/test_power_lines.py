"""What canaries showed: plain rows with intervals, and sentences that say found, missed and not learned."""

import json

import numpy as np
import pytest

from bezoar.detection.power import Found
from bezoar.evaluation.intervals import wilson
from bezoar.evaluation.measure import rate
from bezoar.report.numbers import interval
from bezoar.report.power_lines import power_lines, power_summary


def took(hits, n=300):
    return rate("asr", np.arange(n) < hits, "made up")


@pytest.fixture
def summary():
    found = [
        Found("patch", "moon", 20, 7980, 15, np.arange(1, 21)),
        Found("patch", "fish", 40, 7960, 40, np.arange(1, 41)),
        Found("blended", "key", 20, 7980, 0, np.arange(4000, 4020)),
    ]
    learned = {"moon": (took(200), took(3)), "fish": (took(299), took(3)), "key": (took(5), took(4))}
    return power_summary(found, learned)


def test_the_summary_is_plain_and_every_share_has_its_count_and_interval(summary):
    assert json.loads(json.dumps(summary)) == summary
    first = summary["campaigns"][0]
    assert (first["planted"], first["flagged"], first["share"]) == (20, 15, 0.75)
    assert (first["low"], first["high"]) == wilson(15, 20)
    assert (first["rate"], first["median_rank"], first["ranked"]) == (0.0025, 10.5, 20)
    assert summary["campaigns"][2]["ranked"] == 0
    assert summary["visible_rates"] == {"patch": 0.0025, "blended": None}


def test_each_campaign_is_told_with_what_the_model_learned_of_it(summary):
    lines = [line.replace("\u202f", " ") for line in power_lines(summary)]
    assert lines[0].startswith("Of 20 canaries (patch, 0.25 % of the pairs, towards “moon”) 15 were found, 75.0 % ")
    assert interval(15, 20) in lines[0]
    assert "The model took 200 of 300 other pictures" in lines[0]
    assert lines[0].endswith("and 1.0 % without it.")
    assert "0 were found, 0.0 % [0.0, 16.1]; 0 rank" in lines[2]


def test_what_was_visible_is_told_for_each_trigger(summary):
    lines = [line.replace("\u202f", " ") for line in power_lines(summary)]
    assert lines[3].endswith("a patch in a corner, this scan found half or more at 0.25 % of the pairs and more.")
    assert lines[4].endswith("found half or more at none of the rates tried.")
    assert len(lines) == 5
