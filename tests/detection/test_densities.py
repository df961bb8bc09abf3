from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bezoar.detection import Evidence, Look, Setting, piles
from bezoar.detection.density import FOUR, Density, measure
from bezoar.detection.reference import sample
from bezoar.embeddings import Shards
from bezoar.run import BezoarError, random

NAMES = ("k_distance", "slof", "dao", "lid")


def cloud(n, d, seed=0):
    return random(seed, "densities", n, d).standard_normal((n, d)).astype(np.float32)


class Counted:
    """A table that counts how often its rows are read."""

    def __init__(self, table):
        self.table, self.read = table, np.zeros(len(table), int)

    @property
    def shape(self):
        return self.table.shape

    def __len__(self):
        return len(self.table)

    def __getitem__(self, rows):
        self.read[rows] += 1
        return self.table[rows]


@settings(deadline=None, max_examples=20)
@given(n=st.integers(30, 1500), seed=st.integers(0, 1000), purge=st.sampled_from([0.0, 0.02, 0.2]))
def test_chunk_by_chunk_equals_all_at_once(n, seed, purge):
    vectors = cloud(n, 5, seed)
    held = Evidence(image=vectors, seed=seed, k=4, m=n // 2, purge=purge)
    positions = sample(n, n // 2, seed)
    assert (held.reference[1] == positions).all()
    whole = measure(vectors, positions, 4, spare=held.purged_count)
    whole = whole.purged(4, held.purged_count) if purge else whole.first(4)
    for name in NAMES:
        ours = getattr(held.purged_density(Look()), name)()
        assert np.allclose(ours, getattr(whole, name)(), rtol=1e-4, atol=1e-4), name


def test_all_four_scores_of_a_look_share_one_pass():
    table = Counted(cloud(3000, 6))
    held = Evidence(image=table, m=500)
    held.density(Look()).slof()
    before = table.read.copy()
    for name in NAMES:
        getattr(held.density(Look()), name)()
    assert (table.read == before).all()
    # One pass looks for copies, one scores, and a reference is taken out once besides.
    assert set(np.unique(before)) <= {2, 3, 4}


def test_any_scores_that_are_asked_for_together_share_one_pass():
    table = Counted(cloud(3000, 6))
    held = Evidence(image=table, m=500)
    held.setting(Look())
    table.read[:] = 0
    nearest, spread = held.purged_density(Look()).scores(
        lambda density: density.queries.distances[:, 0].astype(float),
        lambda density: density.first(8).k_distance() / density.k_distance(),
    )
    assert (np.delete(table.read, held.reference[1]) == 1).all()
    assert (nearest > 0).all()
    assert ((spread > 0) & (spread < 1)).all()


def test_a_smaller_scale_equals_a_search_for_fewer_neighbours():
    held = Evidence(image=cloud(900, 6), m=300)
    wide, narrow = Setting(40, 300), Setting(12, 300)
    for name in NAMES:
        scored = held.densities(Look(), wide).score(lambda density, name=name: getattr(density.first(12), name)())
        assert np.allclose(scored, getattr(held.densities(Look(), narrow), name)(), rtol=1e-5), name


def test_several_references_are_independent_and_their_scores_averaged():
    vectors = cloud(1000, 6)
    held = Evidence(image=vectors, k=20, m=200, references=3, purge=0.0)
    samples = [sample(1000, 200, 0, draw) for draw in range(3)]
    mean = np.mean([measure(vectors, rows, 20).slof() for rows in samples], axis=0)
    assert np.allclose(held.density(Look()).slof(), mean, rtol=1e-4)
    common = len(np.intersect1d(samples[0], samples[1]))
    assert abs(common - 40) < 6 * np.sqrt(40)


def test_averaging_references_lowers_the_noise_of_the_draw():
    vectors = cloud(1500, 6)
    rough, smooth = (
        np.std([Evidence(image=vectors, seed=seed, k=16, m=128, references=count).density(Look()).slof()
                for seed in range(6)], axis=0).mean()
        for count in (1, 8)
    )  # fmt: skip
    assert smooth < 0.5 * rough


@pytest.mark.parametrize("kind", ["array", "map", "shards"])
@pytest.mark.parametrize("look", [Look(), Look("text", "unit"), Look("joint"), Look("joint", "unit")])
def test_vectors_may_lie_on_disk(kind, look, tmp_path):
    image, text = cloud(2000, 6).astype(np.float16), cloud(2000, 4, seed=1).astype(np.float16)

    def laid(name, table):
        if kind == "array":
            return table
        cuts = [0, 2000] if kind == "map" else [0, 700, 701, 2000]
        parts = []
        for part in pairwise(cuts):
            np.save(tmp_path / f"{name}_{part[0]}.npy", table[slice(*part)])
            parts.append(np.load(tmp_path / f"{name}_{part[0]}.npy", mmap_mode="r"))
        return parts[0] if kind == "map" else Shards(tuple(parts))

    held = Evidence(image=laid("image", image), text=laid("text", text), m=300)
    exact = Evidence(image=image.astype(np.float32), text=text.astype(np.float32), m=300)
    assert np.allclose(held.purged_density(look).slof(), exact.purged_density(look).slof(), rtol=1e-4)
    assert np.allclose(held.fit, exact.fit, atol=1e-4) if image.shape == text.shape else True


def test_memory_grows_by_sixteen_bytes_a_row_whatever_k_is(tmp_path, monkeypatch):
    monkeypatch.setattr(piles, "_BYTES_AT_ONCE", 1 << 18)
    n, k = 40_000, 200
    np.save(tmp_path / "vectors.npy", cloud(n, 16).astype(np.float16))
    table = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    Evidence(image=table[:500], k=k, m=400).purged_density(Look()).slof()  # imports
    peaks = {}
    for size in (10_000, n):
        tracemalloc.start()
        Evidence(image=table[:size], k=k, m=400).purged_density(Look()).slof()
        peaks[size] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[n] - peaks[10_000] < 17 * (n - 10_000)


def test_the_row_that_is_not_finite_is_named_wherever_it_lies():
    for row in (0, 1234, 2999):
        vectors = cloud(3000, 4)
        vectors[row, 2] = np.nan
        with pytest.raises(BezoarError, match=f"Row {row} of the (query|reference) vectors"):
            Evidence(image=vectors).density(Look()).slof()


@pytest.mark.parametrize("values", [(0, 9, 1, 0.0), (9, 9, 1, 0.0), (3, 9, 0, 0.0), (3, 9, 1, 1.0), (3, 9, 1, -0.1)])
def test_a_setting_that_cannot_be(values):
    with pytest.raises(BezoarError, match="no setting"):
        Setting(*values)


def test_the_purge_leaves_enough_neighbours():
    assert Setting(16, 1000, purge=0.02).purged_count == 20
    assert Setting(8, 10, purge=0.5).purged_count == 1
    vectors = cloud(40, 3)
    assert np.isfinite(Evidence(image=vectors, k=8, m=10, purge=0.5).purged_density(Look()).slof()).all()


def test_the_four_are_the_methods_of_the_same_names():
    assert [function.__name__ for function in FOUR] == list(NAMES)
    held = Evidence(image=cloud(300, 4))
    for function in FOUR:
        assert (getattr(held.density(Look()), function.__name__)() == held.density(Look()).score(function)).all()
    assert Density.slof in FOUR


def test_evidence_that_is_changed_forgets_what_was_computed():
    held = Evidence(image=cloud(600, 5), k=10, m=100)
    before = held.purged_density(Look()).slof()
    other = replace(held, seed=1, image=cloud(600, 5, seed=1)).purged_density(Look()).slof()
    assert (other == Evidence(image=cloud(600, 5, seed=1), seed=1, k=10, m=100).purged_density(Look()).slof()).all()
    assert (other != before).any()
