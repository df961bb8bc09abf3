"""Decisions by mirror: as Benjamini-Hochberg on counted p-values, few false ones, none where all is chance."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from bezoar.detection.mirrored import decide_by_mirror


def scores_of(n=4000, planted=100, seed=0, shift=6.0):
    """Heavy but even tails; planted ones lie higher."""
    draw = np.random.default_rng(seed)
    values = draw.standard_t(3, n)
    mirror = -values.copy()
    values[:planted] = shift + draw.normal(size=planted) + np.abs(values[:planted])
    mirror[:planted] = -np.abs(mirror[:planted])
    return values, mirror


def test_flags_are_those_of_benjamini_hochberg_on_the_counted_share():
    values, mirror = scores_of()
    p = np.array([(1 + (mirror >= value).sum()) / (len(values) + 1) for value in values])
    expected = false_discovery_control(p, method="bh") <= 0.05
    assert np.array_equal(decide_by_mirror(values, mirror, 0.05).flagged, expected)


@pytest.mark.parametrize("seed", range(5))
def test_planted_ones_are_flagged_and_few_others(seed):
    values, mirror = scores_of(seed=seed, shift=20.0)
    flagged = decide_by_mirror(values, mirror, 0.05).flagged
    assert flagged[:100].mean() > 0.9
    assert flagged[100:].sum() <= 0.15 * flagged.sum()


def test_chance_alone_is_seldom_flagged():
    draws = [scores_of(planted=0, seed=seed) for seed in range(40)]
    assert sum(decide_by_mirror(*draw, 0.05).flagged.any() for draw in draws) <= 5


def test_fewer_than_one_over_the_rate_are_not_flagged():
    values, mirror = scores_of(planted=15, shift=1000.0)
    assert not decide_by_mirror(values, mirror, 0.05).flagged.any()


@pytest.mark.parametrize(("shift", "any_flagged"), [(0.0, False), (20.0, True)])
def test_suspicion_ranks_as_the_scores_do_and_the_flagged_reach_the_bar(shift, any_flagged):
    values, mirror = scores_of(shift=shift)
    decided = decide_by_mirror(values, mirror, 0.05)
    assert decided.flagged.any() == any_flagged
    order = np.argsort(values)
    assert (np.diff(decided.suspicion[order]) >= -1e-12).all()
    assert np.array_equal(decided.suspicion >= decided.threshold, decided.flagged)
    np.testing.assert_allclose(-np.log10(decided.p_value), decided.suspicion)


def test_nothing_and_no_spread():
    assert decide_by_mirror(np.zeros(0), np.zeros(0), 0.05).flagged.shape == (0,)
    assert not decide_by_mirror(np.ones(50), np.ones(50), 0.05).flagged.any()


def test_in_a_set_too_small_for_a_tail_p_is_counted():
    values = np.random.default_rng(0).normal(size=100)
    values[0] = values.max() + 0.01
    decided = decide_by_mirror(values, -values, 0.05)
    assert decided.p_value.min() >= 1 / 101 - 1e-9
