from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from bezoar.detection import calibrate
from bezoar.detection.calibration import Tail, benjamini_hochberg
from bezoar.detection.robust import robust_z
from bezoar.run import random

probabilities = st.lists(st.floats(1e-12, 1), min_size=1, max_size=60)


def naive(p, rate):
    n, largest = len(p), 0
    for rank, value in enumerate(sorted(p), start=1):
        if value <= rate * rank / n:
            largest = rank
    return [largest > 0 and value <= rate * largest / n for value in p]


@given(p=probabilities, rate=st.sampled_from([0.05, 0.2, 0.5]))
def test_flags_equal_the_step_up_rule_and_scipy(p, rate):
    # A p-value within rounding of its bar may fall on either side of it.
    n = len(p)
    if any(abs(value / (rate * rank / n) - 1) < 1e-9 for value in p for rank in range(1, n + 1)):
        return
    flagged, threshold = benjamini_hochberg(-np.log10(p), rate)
    assert flagged.tolist() == naive(p, rate)
    assert flagged.tolist() == (false_discovery_control(p) <= rate).tolist()
    assert flagged.tolist() == (-np.log10(p) >= threshold).tolist()


def honest(n=4000, seed=0):
    """A sum of five witnesses: normal, and a little skewed."""
    draw = random(seed, "honest")
    return draw.standard_normal((n, 4)).sum(1) + draw.exponential(1.0, n)


def test_p_of_an_exponential_tail_is_its_chance():
    scores = random(0, "scores").exponential(2.0, 20_000)
    found = calibrate(scores)
    high = scores > np.quantile(scores, 0.85)
    assert np.abs(np.log(found.p_value[high]) / (-scores[high] / 2.0) - 1).max() < 0.1
    assert np.allclose(found.suspicion, -np.log10(found.p_value))
    assert found.refusal is None


@pytest.mark.parametrize("seed", range(20))
def test_of_honest_scores_none_is_flagged(seed):
    found = calibrate(honest(seed=seed))
    assert found.flagged.sum() == 0
    assert found.threshold == pytest.approx(np.log10(4000 / 0.05))


def test_suspicion_ranks_as_the_scores_do():
    scores = honest()
    suspicion = calibrate(scores).suspicion
    assert (np.diff(suspicion[np.argsort(scores)]) >= 0).all()
    above = np.sort(suspicion[scores > np.quantile(scores, 0.8)])
    assert (np.diff(above) > 0).all()


def test_poison_far_out_does_not_hide_behind_the_tail_that_it_widens():
    scores = honest()
    scores[:600] = 60 + random(1, "poison").standard_normal(600)
    once = Tail.fitted(scores).log_p(scores)
    assert not benjamini_hochberg(-once / np.log(10), 0.05)[0].any()
    # A group of them leaves; the rest stand out from a tail that is not theirs any more.
    found = calibrate(scores, groups=[np.arange(560)])
    assert found.flagged[:600].all()
    assert found.flagged[600:].sum() <= 0.05 * found.flagged.sum()
    assert found.alone[560:600].all()


def test_a_tail_that_is_heavier_than_it_promised_is_refused():
    scores = np.abs(random(0, "cauchy").standard_cauchy(4000))
    found = calibrate(scores, groups=[np.array([0, 1])])
    assert "heavier than its beginning promises" in found.refusal
    assert np.flatnonzero(found.flagged).tolist() == [0, 1]


def test_few_pairs_are_ranked_and_not_decided():
    scores = honest(150)
    scores[0] = 1000.0
    found = calibrate(scores)
    assert "too few" in found.refusal
    assert not found.flagged.any()
    assert np.argmax(found.suspicion) == 0


def test_groups_are_flagged_and_numbered():
    found = calibrate(honest(), groups=[np.array([5, 7]), np.array([9])])
    assert np.flatnonzero(found.flagged).tolist() == [5, 7, 9]
    assert found.group[[5, 7, 9, 0]].tolist() == [0, 0, 1, -1]


def test_far_out_it_still_ranks():
    scores = honest(2000)
    scores[:3] = [6000, 7000, 8000]
    found = calibrate(scores)
    assert np.isfinite(found.suspicion).all()
    assert (np.diff(found.suspicion[:3]) > 50).all()
    assert found.flagged.sum() == 3
    assert found.flagged.tolist() == (found.suspicion >= found.threshold).tolist()


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_units_do_not_matter(scale, shift):
    scores = random(1, "scores").standard_normal(300)
    assert np.allclose(robust_z(scores * scale + shift), robust_z(scores), rtol=1e-6, atol=1e-6)
    assert np.allclose(calibrate(scores * scale + shift).suspicion, calibrate(scores).suspicion, rtol=1e-5, atol=1e-6)


def test_poison_above_hardly_moves_the_others():
    scores = random(0, "scores").standard_normal(2000)
    clean = robust_z(scores[100:])
    scores[:100] = 1000
    moved = robust_z(scores)[100:]
    assert np.corrcoef(moved, clean)[0, 1] == pytest.approx(1)
    assert 0.75 < moved.std() / clean.std() < 1


@pytest.mark.parametrize("scores", [[5.0] * 10, [0.1 + 0.2, 0.3] * 5, [0.0] * 9 + [7.0], [3.0]])
def test_scores_without_spread_say_nothing(scores):
    found = calibrate(np.array(scores))
    assert robust_z(np.array(scores)) is None
    assert not found.flagged.any()
    assert (found.p_value == 1).all()
    assert (found.suspicion == 0).all()


def test_nothing_to_calibrate():
    found = calibrate(np.zeros(0))
    assert len(found.flagged) == 0


def test_a_group_does_not_lower_the_bar_for_others():
    falsely = 0
    for seed in range(5):
        scores = np.random.default_rng(seed).exponential(size=10_000)
        scores[:600] = 40.0
        decided = calibrate(scores, 0.05, [np.arange(600)])
        falsely += int(decided.alone.sum())
    assert falsely <= 5
