from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from bezoar.detection import nearest_references
from bezoar.run import BezoarError, random

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def cloud(*shape, seed=0):
    return random(seed, "test", *shape).standard_normal(shape).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 40),
    m=st.integers(2, 60),
    d=st.integers(1, 20),
    offset=st.sampled_from([0.0, 1.0, 300.0]),
    seed=st.integers(0, 1000),
)
def test_equals_scikit_learn(n, m, d, offset, seed):
    queries, references = cloud(n, d, seed=seed) + offset, cloud(m, d, seed=seed + 1) + offset
    k = 1 + seed % m
    found = nearest_references(queries, references, k, chunk=7)
    peer = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(references.astype(np.float64))
    expected, _ = peer.kneighbors(queries.astype(np.float64))
    assert np.allclose(found.distances, expected, rtol=5e-5, atol=1e-6)
    real = np.linalg.norm(queries[:, None].astype(np.float64) - references[found.indices], axis=2)
    assert np.allclose(found.distances, real, rtol=5e-5, atol=1e-6)
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert found.distances.dtype == np.float32
    assert found.indices.dtype == np.int64


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("device", DEVICES)
def test_near_copies_far_from_the_origin_keep_their_distances(gap, device):
    # Tight groups, 30 lengths away from each other: a float32 product alone returns noise here.
    centres = 30 * cloud(5, 16)
    references = (centres[np.arange(60) % 5] + gap * cloud(60, 16, seed=1)).astype(np.float32)
    queries = (centres[np.arange(20) % 5] + gap * cloud(20, 16, seed=2)).astype(np.float32)
    found = nearest_references(queries, references, 6, device=device)
    exact = np.linalg.norm(queries[:, None].astype(np.float64) - references, axis=2)
    expected = np.sort(exact, axis=1)[:, :6]
    assert np.allclose(found.distances, expected, rtol=1e-4, atol=0)
    assert np.allclose(np.take_along_axis(exact, found.indices, 1), expected, rtol=1e-4, atol=0)


def test_self_is_left_out_by_identity_and_a_copy_stays():
    references = cloud(12, 4)
    references[7] = references[3]
    identity = np.arange(12)
    found = nearest_references(references, references, 3, identity=identity)
    assert not (found.indices == identity[:, None]).any()
    assert found.indices[3, 0] == 7
    assert found.distances[3, 0] == 0
    assert found.indices[7, 0] == 3


@pytest.mark.parametrize("device", DEVICES)
def test_equal_distances_are_ordered_by_index_at_the_border_too(device):
    references = np.tile(cloud(4, 8), (10, 1))
    found = nearest_references(cloud(30, 8, seed=5), references, 13, device=device)
    group = found.indices % 4
    for row, indices in zip(group, found.indices, strict=True):
        first = indices[:10]
        assert (row[:10] == row[0]).all()
        assert first.tolist() == sorted(first)
        assert indices[10:].tolist() == [row[10], row[10] + 4, row[10] + 8]


def test_all_identical_points():
    same = np.full((30, 5), 3.25, np.float32)
    found = nearest_references(same, same, 4, identity=np.arange(30))
    assert (found.distances == 0).all()
    assert found.indices[0].tolist() == [1, 2, 3, 4]
    assert found.indices[9].tolist() == [0, 1, 2, 3]


def test_one_row_and_one_column():
    found = nearest_references(np.array([[2.0]]), np.array([[5.0], [1.0]]), 2)
    assert found.indices.tolist() == [[1, 0]]
    assert found.distances.tolist() == [[1.0, 3.0]]


@settings(deadline=None, max_examples=20)
@given(chunk=st.integers(1, 60), dtype=st.sampled_from([np.float16, np.float32, np.float64]))
def test_chunk_size_and_dtype_do_not_matter(chunk, dtype):
    queries, references = cloud(50, 6).astype(np.float16), cloud(40, 6, seed=1).astype(np.float16)
    whole = nearest_references(queries, references, 9)
    found = nearest_references(queries.astype(dtype), references.astype(dtype), 9, chunk=chunk)
    assert np.allclose(found.distances, whole.distances, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e12])
def test_any_scale(scale):
    queries, references = cloud(20, 6), cloud(40, 6, seed=1)
    plain = nearest_references(queries, references, 9)
    scaled = nearest_references(queries * np.float32(scale), references * np.float32(scale), 9)
    assert np.allclose(scaled.distances / scale, plain.distances, rtol=1e-4)


def test_without_equals_a_search_in_the_smaller_reference():
    queries, references = cloud(50, 6), cloud(40, 6, seed=1)
    removed = np.zeros(40, np.bool_)
    removed[[3, 5, 30]] = True
    found = nearest_references(queries, references, 12).without(removed, 9)
    again = nearest_references(queries, references[~removed], 9)
    assert np.allclose(found.distances, again.distances, rtol=1e-5)
    assert (found.indices == np.flatnonzero(~removed)[again.indices]).all()


def test_without_refuses_to_answer_from_too_few():
    found = nearest_references(cloud(5, 3), cloud(9, 3), 4)
    with pytest.raises(ValueError, match="1 neighbours too few"):
        found.without(np.arange(9) == 0, 4)


def test_a_pile_of_near_copies_larger_than_k():
    # More near-copies than k: which of them are nearest is below what a product in float64 can tell.
    references = (1 + 1e-7 * np.arange(50)[:, None] * np.ones(8)).astype(np.float32)
    references = np.concatenate([references, 100 * cloud(20, 8)])
    found = nearest_references(references[:50], references, 9)
    exact = np.linalg.norm(references[:50, None].astype(np.float64) - references, axis=2)
    order = np.argsort(exact, axis=1, kind="stable")[:, :9]
    assert (found.indices == order).all()
    assert np.allclose(found.distances, np.take_along_axis(exact, order, 1), rtol=1e-5)


def test_read_only_input():
    queries, identity = cloud(9, 3), np.arange(9)
    queries.flags.writeable = identity.flags.writeable = False
    assert nearest_references(queries, queries, 3, identity=identity).k == 3


@pytest.mark.parametrize("k", [0, 9])
def test_more_neighbours_than_references(k):
    with pytest.raises(BezoarError, match="has 8 to give"):
        nearest_references(cloud(9, 3), cloud(9, 3), k, identity=np.arange(9))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_is_not_finite_is_named(value):
    good, bad = cloud(30, 3), cloud(30, 3)
    bad[17, 1] = value
    with pytest.raises(BezoarError, match="Row 17 of the query vectors"):
        nearest_references(bad, good, 3, chunk=5)
    with pytest.raises(BezoarError, match="Row 17 of the reference vectors"):
        nearest_references(good, bad, 3)


def test_tables_of_different_width():
    with pytest.raises(BezoarError, match="do not belong together"):
        nearest_references(cloud(4, 3), cloud(4, 2), 1)


def test_vectors_beyond_float32():
    with pytest.raises(BezoarError, match="too long"):
        nearest_references(np.array([[3e38], [0.0]], np.float32), np.zeros((3, 1), np.float32), 2)
