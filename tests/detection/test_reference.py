from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bezoar.detection.reference import choose, sample, visible_rate
from bezoar.run import BezoarError


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
