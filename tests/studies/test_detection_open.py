"""Open questions: the published look-up and ours differ by the rows that they read, and by nothing else."""

import numpy as np
import pytest
from studies.detection_open import BATCH, K, asked_openly
from studies.detection_table import OPEN, SURFACE

from bezoar.detection.evidence import Evidence
from bezoar.run import random


@pytest.fixture(scope="module")
def evidence():
    draw = np.random.default_rng(2)
    vectors = draw.normal(size=(300, 6)).astype(np.float32) * draw.uniform(0.5, 2, size=(300, 1)).astype(np.float32)
    return Evidence(image=vectors, seed=4)


def test_every_question_has_an_answer_for_every_pair(evidence):
    for name in OPEN:
        scores = asked_openly(name)(evidence)
        assert scores.shape == (300,), name
        assert np.isfinite(scores).all(), name


def test_the_released_slof_is_a_naive_loop_over_shifted_rows(evidence):
    vectors = evidence.image.astype(np.float64)
    table = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    own = np.sort(table, axis=1)[:, K]
    scores = asked_openly("slof@released")(evidence)
    # One batch holds all; what is read depends on its order.
    rows = random(4, "batches").permutation(300)
    for place in range(0, 300, 37):
        cut = np.delete(table[rows[place]][rows], place)
        near = np.argsort(cut, kind="stable")
        expected = np.mean(cut[near[K]] / own[rows][near[:K]])
        assert scores[rows[place]] == pytest.approx(expected, rel=1e-4)


def test_the_corrected_slof_reads_the_neighbours_themselves(evidence):
    vectors = evidence.image.astype(np.float64)
    table = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.fill_diagonal(table, np.inf)
    near = np.argsort(table, axis=1)
    kth = np.sort(table, axis=1)[:, K - 1]
    scores = asked_openly("slof@corrected")(evidence)
    for row in range(0, 300, 37):
        assert scores[row] == pytest.approx(np.mean(kth[row] / kth[near[row, :K]]), rel=1e-4)


def test_neighbours_and_references_are_those_that_the_name_says(evidence):
    few, many = (asked_openly(f"slof@k={k},m=1024")(evidence) for k in (16, 64))
    assert not np.allclose(few, many)
    np.testing.assert_allclose(few, asked_openly("slof@corrected")(evidence), rtol=1e-5)
    assert {f"slof@k={k},m={m}" for k, m in SURFACE} <= set(OPEN)


def test_a_larger_set_is_read_in_batches_of_about_the_published_size():
    draw = np.random.default_rng(0)
    large = Evidence(image=draw.normal(size=(2 * BATCH + 100, 4)).astype(np.float32))
    scores = asked_openly("k-distance@corrected")(large)
    rows = np.argsort(scores)[-50:]
    # Half as many references: each neighbour is farther than in the whole set.
    whole = asked_openly(f"k-distance@k={K},m={len(large)}")(large)
    assert (scores[rows] > whole[rows]).all()
