from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from bezoar.report.charts import (
    Point,
    answer_bar,
    precision_recall_chart,
    rate_bar,
    roc_chart,
    suspicion_histogram,
    witness_histogram,
)
from bezoar.report.curves import sweep

NONE = np.zeros(0)


def _numbers(svg: str) -> list[float]:
    return [float(n) for n in re.findall(r"(?<![\w.])-?\d+\.?\d*(?![\w%])", re.sub(r">[^<]*<", "><", svg))]


@pytest.mark.parametrize("size", [0, 1, 5000])
@pytest.mark.parametrize("scale", [0.0, 1.0, 400.0])
def test_histograms_stand_any_set(size: int, scale: float) -> None:
    generator = np.random.default_rng(1)
    values = generator.exponential(size=size) * scale
    flagged = values > 3
    for chart in (
        suspicion_histogram(values, flagged, 0.05 * flagged.sum(), flagged),
        witness_histogram("slof", values, None),
    ):
        ElementTree.fromstring(chart)
        assert np.isfinite(_numbers(chart)).all()
        assert "nan" not in chart


def test_the_flagged_alone_are_hatched() -> None:
    values = np.r_[np.full(100, 0.1), np.full(7, 8.1)]
    chart = suspicion_histogram(values, values > 3, 0.35, None)
    assert chart.count('class="b-p"') == 1
    assert chart.count('class="b-n"') == 1
    assert "7 flagged at 8.10 or more" in chart
    assert "planted" not in chart


def test_what_lies_beyond_the_axis_is_in_the_last_bin() -> None:
    values = np.array([0.2, 40.0, np.inf])
    chart = suspicion_histogram(values, values > 3, 0.1, None)
    assert "12 or more" in chart
    assert chart.count('class="b-p"') == 1


def test_a_silent_witness_is_drawn_without_its_missing_scores() -> None:
    assert "over 1 pairs" in witness_histogram("slof", np.array([np.nan, 1.0]), np.array([True, False]))
    ElementTree.fromstring(witness_histogram("slof", np.full(3, np.nan), np.ones(3, dtype=bool)))


def test_names_of_detectors_cannot_become_markup() -> None:
    hostile = '"><script>x</script>\u202e'
    generator = np.random.default_rng(2)
    truth = generator.random(200) < 0.1
    curve = sweep(hostile, generator.random(200), truth)
    point = Point(5, 2, (hostile,))
    for chart in (
        witness_histogram(hostile, generator.random(20), None),
        answer_bar(0.5, "clean", hostile),
        roc_chart([curve], [0.5], [point]),
        precision_recall_chart([curve], [0.5], [point]),
    ):
        assert ElementTree.fromstring(chart).find(".//{*}script") is None
        assert "\u202e" not in chart


def test_never_more_than_four_lines() -> None:
    generator = np.random.default_rng(3)
    truth = generator.random(500) < 0.1
    sweeps = [sweep(f"d{i}", generator.random(500), truth) for i in range(6)]
    for chart in (
        roc_chart(sweeps, [0.5] * 6, [Point(3, 10, ("here",), square=True)]),
        precision_recall_chart(sweeps, [0.1] * 6, []),
    ):
        assert len(re.findall(r'class="c(?:1st|2nd)', chart)) == 4


def test_the_roc_ends_in_its_corner() -> None:
    curve = sweep("d", np.arange(300.0), np.arange(300) > 250)
    path = re.search(r'class="c1st" d="M([^"]+)"', roc_chart([curve], [1.0], []))
    assert path is not None
    assert path.group(1).split("L")[-1] == "406.0 24.0"


def test_a_bar_says_its_rate_and_interval_in_words() -> None:
    chart = rate_bar(365, 400, "poison")
    assert 'aria-label="91.2 percent, interval 88.1 to 93.6"' in chart
    assert 'width="91.25"' in chart
    ElementTree.fromstring(rate_bar(0, 0, "clean"))
