from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bezoar.detection import Evidence, Look, nearest_references
from bezoar.detection.distances import Ruler
from bezoar.detection.neighbours import Search
from bezoar.run import random

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=cuda)]


def cloud(*shape, seed=0):
    return random(seed, "distances", *shape).standard_normal(shape).astype(np.float32)


def exact(queries, references):
    return np.linalg.norm(queries[:, None].astype(np.float64) - references.astype(np.float64), axis=2)


def clusters(n, d, spread, seed=0):
    """Vectors as a trained encoder gives them: groups far apart, tight in themselves, and off the origin."""
    centres = 3 * cloud(10, d, seed=seed) + 5
    return (centres[np.arange(n) % 10] + spread * cloud(n, d, seed=seed + 1)).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 30),
    m=st.integers(2, 60),
    d=st.integers(1, 40),
    offset=st.sampled_from([0.0, 1.0, 300.0]),
    spread=st.sampled_from([1.0, 1e-2, 1e-4]),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    seed=st.integers(0, 1000),
)
def test_bounds_from_halves_are_below_the_distances(n, m, d, offset, spread, scale, seed):
    queries = scale * (clusters(n, d, spread, seed) * 10 ** cloud(n, 1, seed=seed) + offset)
    references = scale * (clusters(m, d, spread, seed + 5) + offset)
    queries, references = queries.astype(np.float32), references.astype(np.float32)
    ruler = Ruler.lay(torch.tensor(references))
    bounds = ruler.at_least(torch.tensor(queries), None).double().numpy()
    squared = (exact(queries, references) / ruler.scale) ** 2
    assert (bounds <= squared * (1 + 1e-5) + 1e-12).all()


def test_bounds_from_halves_are_close():
    queries, references = cloud(50, 256), cloud(400, 256, seed=1)
    ruler = Ruler.lay(torch.tensor(references))
    bounds = ruler.at_least(torch.tensor(queries), None).double().numpy()
    squared = (exact(queries, references) / ruler.scale) ** 2
    assert ((squared - bounds) / squared).max() < 3e-3


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("spread", [3.0, 0.3, 1e-3])
def test_half_and_full_precision_find_the_same_neighbours(spread, device):
    queries, references = clusters(300, 64, spread, 3), clusters(600, 64, spread, 3)[::-1].copy()
    full = nearest_references(queries, references, 40)
    half = nearest_references(queries, references, 40, precision="half", device=device)
    assert Search.prepare(references, 40, precision="half").candidates is not None
    assert np.allclose(half.distances, full.distances, rtol=5e-5)
    assert np.mean([len(np.intersect1d(*rows)) for rows in zip(half.indices, full.indices, strict=True)]) > 39.9


def test_rows_that_the_bounds_cannot_settle_are_measured_in_full(monkeypatch):
    # Ninety references at distances that differ by less than halves can tell: any 40 of them may be the nearest.
    direction = cloud(90, 64)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    references = np.concatenate([direction * (1 + 1e-4 * np.arange(90)[:, None]), 3 + cloud(300, 64)])
    full = nearest_references(np.zeros((5, 64), np.float32), references.astype(np.float32), 40)
    asked = []
    whole = Search._in_full
    monkeypatch.setattr(Search, "_in_full", lambda self, *given: asked.append(len(given[0])) or whole(self, *given))
    half = nearest_references(np.zeros((5, 64), np.float32), references.astype(np.float32), 40, precision="half")
    assert asked == [5]
    assert (half.indices == full.indices).all()


def test_self_and_references_that_left_are_never_found_in_half_precision():
    references = clusters(500, 16, 0.5)
    gone = np.arange(500) % 7 == 0
    search = Search.prepare(references, 20, left_out=gone, precision="half")
    assert search.candidates is not None
    found = search.nearest(references, np.arange(500))
    assert not gone[found.indices].any()
    assert not (found.indices == np.arange(500)[:, None]).any()
    assert np.isfinite(found.distances).all()


def test_where_most_references_are_neighbours_the_product_is_made_in_full():
    assert Search.prepare(cloud(30, 4), 20, precision="half").candidates is None


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("spread", [2.0, 0.2])
def test_scores_in_half_precision_agree_with_the_exact_ones(spread, device):
    vectors = clusters(4000, 64, spread)
    vectors[:30] = 0.2 * vectors[:30] + 2
    held = {"k": 64, "m": 1024}
    full = Evidence(image=vectors, precision="full", **held)
    half = Evidence(image=vectors, precision="half", device=device, **held)
    for kind in ("density", "purged_density"):
        for name in ("k_distance", "slof", "dao"):
            one, other = (getattr(getattr(evidence, kind)(Look()), name)() for evidence in (full, half))
            np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-3)
            assert set(np.argsort(-one)[:4]) == set(np.argsort(-other)[:4])


@pytest.mark.parametrize("device", DEVICES)
def test_distances_far_below_the_product_are_measured_again(device):
    vectors = clusters(200, 32, 1e-5)
    ruler = Ruler.lay(torch.tensor(vectors, device=device))
    squared = ruler.squared(torch.tensor(vectors, device=device), torch.arange(200, device=device)).cpu().numpy()
    expected = exact(vectors, vectors) / ruler.scale
    np.fill_diagonal(expected, np.inf)
    assert np.allclose(np.sqrt(squared), expected, rtol=5e-5)
