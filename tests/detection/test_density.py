from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import LocalOutlierFactor

from bezoar.detection.density import Density, Reference, measure
from bezoar.detection.neighbours import nearest_references
from bezoar.detection.reference import sample
from bezoar.run import random

NAMES = ("k_distance", "slof", "dao", "lid")


def neighbours(vectors, sample, k, leave_out=()):
    """Ascending distances and reference indices of every vector, itself and `leave_out` excluded."""
    rows = []
    for position, x in enumerate(vectors.astype(np.float64)):
        found = [
            (float(np.sqrt(((x - vectors[other].astype(np.float64)) ** 2).sum())), index)
            for index, other in enumerate(sample)
            if other != position and index not in leave_out
        ]
        rows.append(sorted(found)[:k])
    return rows


def density_scores(vectors, sample, k, leave_out=()):
    rows = neighbours(vectors, sample, k, leave_out)
    d_k = [row[-1][0] for row in rows]
    lid = [-1 / np.mean([np.log(d / row[-1][0]) for d, _ in row]) for row in rows]
    slof, dao = [], []
    for position, row in enumerate(rows):
        near = [sample[index] for _, index in row]
        slof.append(np.mean([d_k[position] / d_k[o] for o in near]))
        dao.append(np.mean([lid[o] * np.log(d_k[position] / d_k[o]) for o in near]))
    return {name: np.array(v) for name, v in {"k_distance": d_k, "slof": slof, "dao": dao, "lid": lid}.items()}


def cloud(n, d, seed=0):
    return random(seed, "test", n, d).standard_normal((n, d)).astype(np.float32)


def scores(vectors, positions, k, **options):
    density = measure(vectors, positions, k, **options)
    return {name: getattr(density, name)() for name in NAMES}


@settings(deadline=None, max_examples=15)
@given(n=st.integers(8, 60), d=st.integers(2, 12), seed=st.integers(0, 1000))
def test_every_score_equals_its_formula(n, d, seed):
    vectors = cloud(n, d, seed)
    positions = sample(n, max(5, n // 2), seed)
    k = 2 + seed % 3
    ours, naive = scores(vectors, positions, k), density_scores(vectors, positions, k)
    assert np.allclose(ours["k_distance"], naive["k_distance"], rtol=1e-4)
    assert np.allclose(ours["slof"], naive["slof"], rtol=1e-3)
    # The k-distance of a reference point can be tiny by chance; its floor and the LID's cap then speak.
    calm = np.isfinite(naive["lid"]) & (naive["lid"] < 500)
    assert np.allclose(ours["lid"][calm], naive["lid"][calm], rtol=1e-2)
    if calm.all():
        assert np.allclose(ours["dao"], naive["dao"], rtol=1e-2, atol=1e-2)


def test_slof_agrees_with_scikit_learns_lof_where_both_are_calm():
    # LOF smooths with the reachability distance; in one dense cloud and for far outliers the two agree.
    vectors = cloud(400, 3)
    vectors[:5] *= 8
    ours = measure(vectors, np.arange(400), 40).slof()
    peer = -LocalOutlierFactor(n_neighbors=40).fit(vectors).negative_outlier_factor_
    assert set(np.argsort(-ours)[:5]) == set(np.argsort(-peer)[:5])
    assert np.corrcoef(ours, peer)[0, 1] > 0.95


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), chunk=st.integers(3, 80))
def test_order_of_the_pairs_and_chunks_do_not_matter(seed, chunk):
    vectors, positions = cloud(80, 6), sample(80, 40, 1)
    order = random(seed, "order").permutation(80)
    place = np.argsort(order)
    straight, mixed = scores(vectors, positions, 7), scores(vectors[order], place[positions], 7, chunk=chunk)
    for name in NAMES:
        assert np.allclose(straight[name][order], mixed[name], rtol=1e-3, atol=1e-4), name


@settings(deadline=None, max_examples=15)
@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 100))
def test_scale_changes_only_the_k_distance(scale, seed):
    vectors, positions = cloud(80, 6), sample(80, 40, seed)
    plain, scaled = scores(vectors, positions, 7), scores(vectors * np.float32(scale), positions, 7)
    assert np.allclose(plain["k_distance"] * scale, scaled["k_distance"], rtol=1e-3)
    for name in NAMES[1:]:
        assert np.allclose(plain[name], scaled[name], rtol=1e-3, atol=1e-4), name


def test_moving_and_turning_the_vectors_changes_nothing():
    vectors, positions = cloud(80, 6), sample(80, 40, 0)
    turn, _ = np.linalg.qr(cloud(6, 6, seed=3).astype(np.float64))
    moved = ((vectors @ turn) + 50).astype(np.float32)
    plain, other = scores(vectors, positions, 7), scores(moved, positions, 7)
    for name in NAMES:
        assert np.allclose(plain[name], other[name], rtol=2e-3, atol=2e-3), name


def test_all_identical_points_are_alike():
    found = scores(np.ones((40, 4), np.float32), np.arange(20), 5)
    assert (found["k_distance"] == 0).all()
    assert np.allclose(found["slof"], 1)
    assert np.allclose(found["dao"], 0)
    for name in NAMES:
        assert np.ptp(found[name]) == 0


def test_a_pile_of_copies_makes_no_score_infinite_and_is_not_lonely():
    vectors = cloud(100, 4)
    vectors[:30] = vectors[0]
    found = scores(vectors, np.arange(100), 5)
    for name in NAMES:
        assert np.isfinite(found[name]).all(), name
    assert np.allclose(found["slof"][:30], 1)
    assert found["slof"].max() < 200


def test_lid_of_uniform_points_is_their_dimension():
    vectors = random(0, "uniform").uniform(size=(4000, 3)).astype(np.float32)
    middle = np.all(np.abs(vectors - 0.5) < 0.25, axis=1)
    assert measure(vectors, np.arange(4000), 60).lid()[middle].mean() == pytest.approx(3, abs=0.3)


def test_references_that_are_queries_need_no_second_search():
    vectors, positions = cloud(60, 5), sample(60, 25, 0)
    own = nearest_references(vectors[positions], vectors[positions], 4, identity=np.arange(25))
    assert np.allclose(measure(vectors, positions, 4).reference.own.distances, own.distances, rtol=1e-5)


def test_purging_equals_scoring_against_the_smaller_reference():
    vectors, positions = cloud(60, 5), sample(60, 30, 0)
    purged = measure(vectors, positions, 6, spare=3).purged(6, 3)
    first = density_scores(vectors, positions, 6)["slof"][positions]
    leave_out = set(np.argsort(-first, kind="stable")[:3].tolist())
    naive = density_scores(vectors, positions, 6, leave_out)
    assert np.allclose(purged.slof(), naive["slof"], rtol=1e-3)
    assert np.allclose(purged.k_distance(), naive["k_distance"], rtol=1e-4)


def planted(rate, seed=0):
    """A cloud with a tight far cluster of the given share; its members come first."""
    n, d = 1200, 16
    vectors = random(seed, "planted").standard_normal((n, d)).astype(np.float32)
    count = int(n * rate)
    vectors[:count] = 0.2 * vectors[:count] + 2.5
    return vectors, np.arange(n) < count


def auroc(found, truth):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(truth, found)


def test_a_planted_cluster_is_seen_while_k_exceeds_its_members_in_the_reference():
    vectors, truth = planted(0.05)
    positions = sample(1200, 400, 0)
    wide = measure(vectors, positions, 80)
    assert truth[positions].sum() < 80 / 2
    for found in (wide.k_distance(), wide.slof(), wide.dao()):
        assert auroc(found, truth) > 0.99
    assert auroc(measure(vectors, positions, 80, spare=30).purged(80, 30).slof(), truth) > 0.99


def test_a_planted_cluster_larger_than_k_is_inverted():
    vectors, truth = planted(0.05)
    positions = sample(1200, 400, 0)
    assert truth[positions].sum() > 8
    assert auroc(measure(vectors, positions, 8).k_distance(), truth) < 0.1


def test_an_outside_reference():
    queries, references = cloud(20, 4), cloud(50, 4, seed=9)
    own = nearest_references(references, references, 5, identity=np.arange(50))
    found = Density(nearest_references(queries, references, 5), Reference(own)).slof()
    naive = density_scores(np.concatenate([queries, references]), np.arange(20, 70), 5)["slof"][:20]
    assert np.allclose(found, naive, rtol=1e-3)
