"""The gap in the distance profile: the formula, campaigns larger than k allows for, and copies."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bezoar.detection import Evidence, parse
from bezoar.detection.density import measure
from bezoar.detection.profile import profile_gap


def naive(row, floor):
    best = 0.0
    for i in range(1, len(row)):
        if row[i - 1] > floor:
            best = max(best, i * np.log(max(row[i], floor) / max(row[i - 1], floor)))
    return best


def test_it_is_the_largest_weighted_jump():
    rows = np.sort(np.random.default_rng(0).gamma(2.0, size=(60, 9)), axis=1)
    rows[3, :4] = 0
    rows[4] = 0
    rows[5] = 2
    assert profile_gap(rows, 0.01) == pytest.approx([naive(row, 0.01) for row in rows])
    assert profile_gap(rows, 0.01)[[4, 5]].tolist() == [0, 0]
    assert profile_gap(np.array([[1.0, 1.0, np.e, np.e]]), 0.01).tolist() == [2.0]


def test_more_rows_than_are_taken_at_once():
    rows = np.sort(np.random.default_rng(0).gamma(2.0, size=(9000, 3)), axis=1)
    np.testing.assert_allclose(profile_gap(rows, 1e-3)[8500:], profile_gap(rows[8500:], 1e-3))


def campaign(planted, seed=0):
    draw = np.random.default_rng(seed)
    clean = draw.normal(size=(1000, 16))
    clean[:planted] = 5 + 0.3 * draw.normal(size=(planted, 16))
    return clean.astype(np.float32)


def test_it_sees_campaigns_that_fill_the_neighbours():
    """Of 100 planted among 1,000, about 50 are in a reference of 500: at k = 32 k-distance is inverted."""
    truth = np.arange(1000) < 100
    assert roc_auc_score(truth, parse("profile-gap")(Evidence(image=campaign(100), m=500, k=80))) > 0.99
    assert roc_auc_score(truth, parse("k-distance")(Evidence(image=campaign(100), m=500, k=32))) < 0.5


def test_a_pile_of_exact_copies_neither_tops_the_ranking_nor_hides_a_campaign():
    vectors = campaign(50)
    vectors[500:700] = vectors[500]
    held = Evidence(image=vectors, m=500, k=64)
    scores = parse("profile-gap")(held)
    assert np.isfinite(scores).all()
    top = np.argsort(-scores, kind="stable")[:50]
    assert (top < 50).mean() > 0.95
    assert not np.isin(top, np.arange(500, 700)).any()


def test_it_looks_at_the_k_nearest_references():
    held = Evidence(image=campaign(20), m=200, k=32)
    density = measure(held.image, held.reference[1], 32)
    expected = profile_gap(density.queries.distances, density.floor)
    np.testing.assert_allclose(parse("profile-gap")(held), expected, rtol=1e-5)


def test_one_neighbour_has_no_gap_behind_it():
    assert profile_gap(np.array([[1.0], [5.0]]), 0.1).tolist() == [0.0, 0.0]
