from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import bootstrap as scipy_bootstrap

from bezoar.evaluation.intervals import bootstrap, wilson
from bezoar.run import random

counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_equals_scipys_score_interval(case: tuple[int, int]) -> None:
    theirs = binomtest(*case).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson(*case) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(counts)
def test_holds_the_rate_and_stays_inside(case: tuple[int, int]) -> None:
    low, high = wilson(*case)
    assert 0 <= low <= case[0] / case[1] <= high <= 1
    assert low < high


@given(counts)
def test_failures_mirror_successes(case: tuple[int, int]) -> None:
    low, high = wilson(*case)
    assert wilson(case[1] - case[0], case[1]) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_nothing_is_known_of_no_trial() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("case", [(-1, 5), (6, 5), (1, 0)])
def test_impossible_counts_are_refused(case: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not a count"):
        wilson(*case)


def test_the_bootstrap_is_scipys_percentile_interval() -> None:
    values = random(0, "values").exponential(size=80)
    theirs = scipy_bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(0))
    low, high = bootstrap(values, 0, "any")
    assert low == pytest.approx(theirs.confidence_interval.low, abs=0.03)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=0.03)


def test_the_bootstrap_depends_on_seed_and_names_alone() -> None:
    values = np.arange(20.0)
    assert bootstrap(values, 0, "a") == bootstrap(values, 0, "a")
    assert len({bootstrap(values, 0, "a"), bootstrap(values, 1, "a"), bootstrap(values, 0, "b")}) == 3
    assert bootstrap(np.full(5, 3.0), 0) == (3.0, 3.0)
