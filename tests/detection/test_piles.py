from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bezoar.detection import Evidence, Look, choose, highest, parse, piles
from bezoar.detection.piles import find_piles
from bezoar.embeddings import Shards
from bezoar.run import random

DENSITIES = ("k-distance", "slof", "dao", "lid")


def naive(table):
    """The rows that repeat an earlier one, and the earliest, by a dictionary of bytes."""
    first, copies = {}, {}
    for row, vector in enumerate(np.asarray(table)):
        earliest = first.setdefault(vector.tobytes(), row)
        if earliest != row:
            copies[row] = earliest
    return copies


def found(table):
    answer = find_piles(table)
    return dict(zip(answer.copies.tolist(), answer.firsts.tolist(), strict=True))


def cloud(n, d, seed=0):
    return random(seed, "piles test", n, d).standard_normal((n, d)).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 60),
    d=st.integers(1, 9),
    different=st.integers(1, 20),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    seed=st.integers(0, 1000),
)
def test_equals_a_dictionary_of_bytes(n, d, different, dtype, seed):
    table = cloud(different, d, seed).astype(dtype)[random(seed, "draw").integers(different, size=n)]
    assert found(table) == naive(table)
    assert found(Shards((table[: n // 2], table[n // 2 :]))) == naive(table)


def test_equal_hashes_alone_make_no_copies(monkeypatch):
    table = cloud(30, 4)[random(0, "draw").integers(30, size=90)]
    monkeypatch.setattr(piles, "_hashes", lambda table: np.full(len(table), 7, np.uint64))
    assert found(table) == naive(table)


def test_vectors_that_differ_in_signs_alone_have_different_hashes():
    signs = np.where(random(0, "signs").integers(2, size=(4000, 64)), 1, -1).astype(np.float16)
    assert len(np.unique(piles._hashes(signs))) == len(np.unique(signs, axis=0)) == 4000


@settings(deadline=None, max_examples=30)
@given(n=st.integers(1, 50), different=st.integers(1, 12), seed=st.integers(0, 100))
def test_different_rows_are_counted_in_order_and_copies_lead_to_their_first(n, different, seed):
    table = cloud(different, 3, seed)[random(seed, "draw").integers(different, size=n)]
    answer, copies = find_piles(table), naive(table)
    rows = answer.rows(np.arange(answer.distinct))
    assert rows.tolist() == [row for row in range(n) if row not in copies]
    cut = n // 3
    originals = [*answer.originals(0, cut), *answer.originals(cut, n)]
    assert originals == [copies.get(row, row) for row in range(n)]


def test_chunks_of_hashing_do_not_matter(monkeypatch):
    table = cloud(40, 5)[random(0, "draw").integers(40, size=200)]
    monkeypatch.setattr(piles, "_BYTES_AT_ONCE", 64)
    monkeypatch.setattr(piles, "_ROWS_AT_ONCE", 3)
    assert found(table) == naive(table)


# What a pile may not do to the scores.

N = 3000


def world(planted=40):
    """Photos in a few soft clusters, and a tight planted cluster apart, whose members come first."""
    generator = random(0, "photos")
    centres = 1.5 * generator.standard_normal((12, 24))
    vectors = (centres[generator.integers(12, size=N)] + generator.standard_normal((N, 24))).astype(np.float32)
    vectors[:planted] = 0.3 * generator.standard_normal((planted, 24)) + 3.0
    return vectors, np.arange(N) < planted


def ranks_of(scores, rows):
    place = np.empty(len(scores), np.int64)
    place[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return place[rows]


def scores_of(vectors, name="density"):
    held = Evidence(image=vectors)
    return held.purged_density(Look()).slof() if name == "density" else parse(name)(held)


@pytest.mark.parametrize("name", ["density", "k-distance", "slof", "dao"])
def test_two_thousand_benign_copies_neither_enter_the_top_nor_hide_a_poison(name):
    vectors, planted = world()
    ordinary = int(np.argsort(scores_of(vectors, name))[N // 2])
    vectors = np.concatenate([vectors, np.repeat(vectors[[ordinary]], 2000, axis=0)])
    planted = np.concatenate([planted, np.zeros(2000, bool)])
    scores = scores_of(vectors, name)
    top = highest(scores, 0.02)
    assert not (top >= N).any()
    assert planted[top[: planted.sum()]].mean() > 0.9
    # Nor do its neighbours rise: without care a k-distance of zero makes everything beside the pile explode.
    beside = np.argsort(np.linalg.norm(vectors[:N] - vectors[ordinary], axis=1))[:30]
    assert not np.isin(beside, top).any()


@pytest.mark.parametrize("name", ["density", "slof", "dao", "k-distance", "lid"])
@settings(deadline=None, max_examples=6)
@given(row=st.integers(0, N - 1), size=st.integers(1, 2000))
def test_a_pile_scores_as_its_picture_would_alone(name, row, size):
    vectors, _ = world()
    piled = np.concatenate([vectors, np.repeat(vectors[[row]], size, axis=0)])
    alone, among = scores_of(vectors, name), scores_of(piled, name)
    assert (among[N:] == among[row]).all()
    # The reference is drawn among as many different vectors, the same ones.
    np.testing.assert_allclose(among[:N], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("place", ["apart", "beside another"])
def test_poison_gains_nothing_by_repeating_one_picture(place):
    # One image with many target captions: as a crowd of its own it would look dense, not lonely.
    vectors, planted = world(1)
    vectors[0] = 6.0 if place == "apart" else vectors[100] + 0.5
    lone = ranks_of(scores_of(vectors), planted)
    repeated = np.concatenate([vectors, np.repeat(vectors[:1], 300, axis=0)])
    assert ranks_of(scores_of(repeated), np.arange(1)) <= lone


def test_piles_of_decoys_do_not_push_poison_out_of_the_top():
    # As the attack smoke-screen does: harmless duplicates beside a backdoor, more in the reference than neighbours.
    vectors, planted = world(20)
    shown = random(0, "decoys").choice(np.arange(100, N), 20, replace=False)
    screened = np.concatenate([vectors, np.repeat(vectors[shown], 60, axis=0)])
    poison = np.flatnonzero(planted)
    clear, smoky = (
        ranks_of(Evidence(image=one, k=16, m=1024).density(Look()).slof(), poison) for one in (vectors, screened)
    )
    assert np.median(clear) < 40
    assert np.median(smoky) < 40


@pytest.mark.parametrize("name", DENSITIES)
@pytest.mark.parametrize("different", [1, 2, 3, 4, 7, 40])
def test_few_different_vectors_still_give_finite_scores(name, different):
    vectors = cloud(different, 6)[np.arange(800) % different]
    scores = parse(name)(Evidence(image=vectors))
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) <= different


def test_captions_from_a_few_templates_are_looked_at_as_so_many_pairs():
    held = Evidence(image=cloud(4000, 4), text=cloud(200, 4)[np.arange(4000) % 200])
    image, text = held.setting(Look()), held.setting(Look("text"))
    assert (image.k, image.m) == choose(None, 4000)
    assert (text.k, text.m) == choose(None, 200)


def test_a_reference_that_was_asked_for_stays_as_long_as_it_can_be_drawn():
    vectors = np.concatenate([cloud(100, 4), cloud(1, 4)[[0] * 10]])
    assert Evidence(image=vectors, k=9, m=90).setting(Look()).m == 90
    assert Evidence(image=vectors, k=9, m=105).setting(Look()).m == 101
