from __future__ import annotations

import numpy as np
import pytest

from bezoar.detection import highest, judge
from bezoar.run import BezoarError, random


def test_counts_by_hand():
    scores = np.array([9.0, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    planted = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], bool)
    judged = judge(scores, planted, share=0.2)
    assert judged.auroc == pytest.approx(15 / 16)
    assert judged.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert (judged.recall_at_drop, judged.dropped, judged.planted) == (0.5, 2, 2)


def test_auroc_is_the_chance_of_a_right_order():
    generator = random(0, "truth")
    scores, planted = generator.standard_normal(200), generator.random(200) < 0.2
    pairs = [(a > b) + (a == b) / 2 for a in scores[planted] for b in scores[~planted]]
    assert judge(scores, planted).auroc == pytest.approx(np.mean(pairs))


def test_curves_ascend_and_end_where_they_must():
    generator = random(1, "truth")
    judged = judge(generator.standard_normal(200), generator.random(200) < 0.2)
    for curve in (judged.roc, judged.precision_recall):
        assert (np.diff(curve.x) >= 0).all()
        assert (curve.x[0], curve.x[-1]) == (0, 1)
    assert (judged.roc.y[0], judged.roc.y[-1]) == (0, 1)


def test_ties_are_dropped_by_position():
    assert highest(np.array([1.0, 2, 2, 2, 0]), 0.4).tolist() == [1, 2]
    assert highest(np.arange(50.0), 0.02).tolist() == [49]
    assert len(highest(np.arange(100.0), 0.29)) == 29


@pytest.mark.parametrize("planted", [np.zeros(5, bool), np.ones(5, bool)])
def test_nothing_to_tell_apart(planted):
    with pytest.raises(BezoarError, match="nothing to tell apart"):
        judge(np.arange(5.0), planted)
