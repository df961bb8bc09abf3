from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from bezoar.detection import Evidence, Look
from bezoar.detection.reference import choose, choose_among, sample, visible_rate
from bezoar.run import BezoarError, random


def test_the_default_is_the_best_setting_of_the_trials():
    assert choose(None, 8000) == (256, 2048)
    assert visible_rate(256, 2048) == pytest.approx(0.0974, abs=1e-4)


@pytest.mark.parametrize(("rate", "k"), [(0.001, 17), (0.015, 246), (0.05, 256), (0.1, 263), (0.2, 491)])
def test_k_follows_from_the_rate(rate, k):
    assert choose(rate, 8000) == (k, 2048)


@given(rate=st.floats(1e-5, 0.3), n=st.integers(400, 100_000))
def test_what_is_chosen_sees_the_rate_that_was_asked_for(rate, n):
    k, m = choose(rate, n)
    assert visible_rate(k, m) >= rate * (1 - 1e-9)
    assert 16 <= k < m <= min(2048, n // 2)


@given(k=st.integers(1, 5000), m=st.integers(2, 10_000))
def test_visible_rate_solves_the_rule(k, m):
    expected = visible_rate(k, m) * m
    if expected < m:
        assert expected + 4 * math.sqrt(expected) == pytest.approx(k)


@given(n=st.integers(4, 3000))
def test_small_sets_have_a_reference_of_half_and_a_smaller_k(n):
    k, m = choose(None, n)
    assert m == min(2048, n // 2)
    assert 1 <= k < m


def test_k_and_m_override():
    assert choose(0.05, 8000, k=9, m=100) == (9, 100)


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((None, 3), {}, "too few"),
        ((None, 8000), {"k": 2048}, "must be smaller than the reference of 2048"),
        ((None, 8000), {"m": 8001}, "cannot be drawn"),
        ((0.7, 8000), {}, "not a share"),
        ((0.49, 200), {}, None),
    ],
)
def test_what_cannot_be_is_a_sentence(arguments, options, sentence):
    if sentence is None:
        k, m = choose(*arguments, **options)
        assert k < m
        return
    with pytest.raises(BezoarError, match=sentence):
        choose(*arguments, **options)


def test_a_sample_is_distinct_ascending_and_repeatable():
    drawn = sample(1000, 300, 4)
    assert (np.diff(drawn) > 0).all()
    assert (drawn == sample(1000, 300, 4)).all()
    assert (drawn != sample(1000, 300, 5)).any()


def clustered(rate, seed, n=1500):
    """A cloud, and a tight cluster apart with the given share of all; its members come first."""
    vectors = random(seed, "visible").standard_normal((n, 12)).astype(np.float32)
    planted = np.arange(n) < round(rate * n)
    vectors[planted] = 0.1 * vectors[planted] + 2.0
    return vectors, planted


@pytest.mark.parametrize(("k", "m"), [(24, 200), (64, 400)])
def test_what_the_rule_calls_visible_is_seen_in_every_draw_and_what_exceeds_k_in_none(k, m):
    rate, draws = visible_rate(k, m), range(12)

    def seen(share, seed):
        vectors, planted = clustered(share, seed)
        scores = Evidence(image=vectors, seed=seed, k=k, m=m).density(Look()).k_distance()
        return roc_auc_score(planted, scores)

    assert all(seen(rate, seed) > 0.95 for seed in draws)
    # Beyond the rule's line k-distance is not blind but inverted: λ itself exceeds k.
    assert all(seen(1.4 * k / m, seed) < 0.5 for seed in draws)


@pytest.mark.parametrize(("k", "m"), [(16, 2048), (64, 1024), (256, 2048)])
def test_four_deviations_leave_hardly_a_draw_with_more_poison_than_neighbours(k, m):
    # The planted members of a random reference, at the visible rate and where their mean exceeds k; 20,000 draws.
    rate = visible_rate(k, m)
    members = random(0, "draws").hypergeometric(round(1e6 * rate), round(1e6 * (1 - rate)), m, size=20_000)
    assert (members >= k).mean() < 5e-3
    assert (random(1, "draws").binomial(m, 1.6 * k / m, size=20_000) >= k).mean() > 0.5


def test_draws_are_independent_references():
    drawn = [set(sample(1000, 300, 4, draw)) for draw in range(3)]
    assert drawn[0] == set(sample(1000, 300, 4))
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert 60 < len(drawn[one] & drawn[other]) < 120


@given(n=st.integers(8, 5000), distinct=st.integers(1, 5000), m=st.none() | st.integers(2, 8))
def test_copies_leave_a_reference_that_can_be_drawn(n, distinct, m):
    distinct = min(n, distinct)
    k, chosen = choose_among(None, n, distinct, m=m)
    assert 1 <= k < chosen
    assert chosen <= max(2, distinct)
    if distinct >= 4:
        assert (k, chosen) == choose(None, distinct, m=m if m is None else min(m, distinct))
