from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

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


def levels(seed):
    """Scores with many ties, and a truth."""
    draw = random(seed, "levels")
    return draw.integers(0, 12, 300).astype(float), draw.random(300) < 0.1


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("percent", [95, 99, 100])
def test_false_positives_are_where_scikit_learns_curve_first_finds_as_many(seed, percent):
    scores, planted = levels(seed)
    false_rate, true_rate, _ = roc_curve(planted, scores, drop_intermediate=False)
    judged = judge(scores, planted)
    reached = true_rate >= percent / 100 - 1e-12
    assert getattr(judged, f"fpr_at_{percent}_tpr") == pytest.approx(false_rate[reached].min())
    assert 0 < judged.fpr_at_95_tpr <= judged.fpr_at_99_tpr <= judged.fpr_at_100_tpr <= 1


def test_nineteen_of_twenty_are_95_percent():
    scores = np.array([*range(100, 81, -1), 50, *range(60, 40, -1)], float)
    judged = judge(scores, np.arange(40) < 20)
    assert (judged.fpr_at_95_tpr, judged.fpr_at_99_tpr) == (0.0, 11 / 20)


def test_clean_pairs_are_lost_where_they_are_dropped():
    scores, planted = np.arange(10.0), np.arange(10) >= 8
    judged = judge(scores, planted, share=0.5)
    assert (judged.recall_at_drop, judged.clean_lost) == (1.0, 3 / 8)
    assert judge(scores, planted, share=0.2).clean_lost == 0.0
