from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, norm

from bezoar.detection import calibrate
from bezoar.detection.calibration import benjamini_hochberg
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


def test_p_is_the_upper_tail_of_the_robust_z():
    scores = random(0, "scores").standard_normal(2000)
    found = calibrate(scores)
    z = (scores - np.median(scores)) / (np.median(scores) - np.quantile(scores, norm.cdf(-1)))
    assert np.allclose(found.z, z)
    assert np.allclose(found.p_value, norm.sf(z))
    assert np.allclose(found.suspicion, -np.log10(norm.sf(z)))
    assert found.flagged.sum() == 0
    assert found.threshold == pytest.approx(np.log10(2000 / 0.05))


def test_far_out_it_still_ranks():
    scores = random(0, "scores").standard_normal(2000)
    scores[:3] = [60, 70, 80]
    found = calibrate(scores)
    assert (found.p_value[:3] == 0).all()
    assert np.isfinite(found.suspicion).all()
    assert (np.diff(found.suspicion[:3]) > 50).all()
    assert found.flagged.sum() == 3
    assert found.flagged.tolist() == (found.suspicion >= found.threshold).tolist()


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_units_do_not_matter(scale, shift):
    scores = random(1, "scores").standard_normal(300)
    assert np.allclose(robust_z(scores * scale + shift), robust_z(scores), rtol=1e-6, atol=1e-6)


def test_poison_above_hardly_moves_the_others():
    scores = random(0, "scores").standard_normal(2000)
    clean = robust_z(scores[100:])
    scores[:100] = 1000
    assert np.abs(robust_z(scores)[100:] - clean).max() < 0.3


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
