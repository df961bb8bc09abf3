"""What the views say, held against a naive loop and against what they are for."""

import numpy as np
import pytest

from bezoar.detection.witnesses import view_constancy, view_drop, view_mismatch
from bezoar.run import random


def pairs(fit, spread, n=200, views=12, seed=0):
    """Fits of n pairs and of their views, around `fit` with that spread."""
    draw = random(seed, "pairs")
    return np.full(n, fit), fit + spread * draw.standard_normal((n, views))


def test_constancy_equals_a_naive_loop():
    fit, views = pairs(0.6, 0.1)
    expected = [
        np.log((1 - own) / (np.sqrt(((row - row.mean()) ** 2).mean()) + 0.005))
        for own, row in zip(fit, views, strict=True)
    ]
    np.testing.assert_allclose(view_constancy(fit, views), expected)


def test_a_poor_fit_that_survives_all_looks_is_more_constant_than_genuine_ones():
    held = view_constancy(*pairs(0.65, 0.02))
    genuine = view_constancy(*pairs(0.79, 0.06))
    best = view_constancy(*pairs(0.9, 0.02))
    broken = view_constancy(np.full(200, 0.7), pairs(0.15, 0.23)[1])
    assert held.min() > max(genuine.max(), best.max(), broken.max())


def test_a_perfect_and_motionless_fit_is_finite_and_no_suspect():
    still = view_constancy(np.ones(3), np.ones((3, 12)))
    assert np.isfinite(still).all()
    assert (still < view_constancy(*pairs(0.5, 0.005))[:3]).all()


def test_drop_and_mismatch_part_the_planted_from_the_mismatched():
    planted, mismatched, genuine = (
        (np.full(9, 0.7), np.full((9, 4), 0.2)),
        (np.full(9, 0.1), np.full((9, 4), 0.1)),
        pairs(0.7, 0.01),
    )
    assert view_drop(*planted).min() > view_drop(*genuine).max()
    assert view_drop(*mismatched).max() == pytest.approx(0)
    assert min(view_mismatch(planted[1]).min(), view_mismatch(mismatched[1]).min()) > view_mismatch(genuine[1]).max()
