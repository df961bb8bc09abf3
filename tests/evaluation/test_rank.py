"""The rank of the best acceptable answer, against sorting by hand and against torchmetrics-like counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from bezoar.evaluation.rank import best_rank, depths, ranks
from bezoar.run import random


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), queries=st.integers(1, 6), gallery=st.integers(1, 8), levels=st.integers(1, 5))
def test_rank_equals_sorting_with_ties_against_the_answer(seed, queries, gallery, levels):
    draw = random(seed, "rank")
    scores = draw.integers(0, levels, (queries, gallery)).astype(float)
    acceptable = draw.random((queries, gallery)) < 0.4
    acceptable[np.arange(queries), draw.integers(0, gallery, queries)] = True
    expected = []
    for row, marks in zip(scores, acceptable, strict=True):
        best = max(row[marks])
        expected.append(sum(1 for score, mark in zip(row, marks, strict=True) if score >= best and not mark))
    assert best_rank(scores, acceptable).tolist() == expected


@pytest.mark.parametrize("k", [1, 2, 5])
def test_counts_over_ranks_are_scikit_learns_top_k_accuracy(k):
    draw = random(0, "top-k")
    scores, labels = draw.random((200, 8)), draw.integers(0, 8, 200)
    ranks = best_rank(scores, labels[:, None] == np.arange(8))
    assert (ranks < k).mean() == top_k_accuracy_score(labels, scores, k=k, labels=np.arange(8))


def test_a_model_that_gives_everything_one_score_succeeds_at_nothing():
    assert (best_rank(np.zeros((5, 4)), np.arange(4) == 2) == 3).all()


def test_a_query_without_acceptable_answer_is_refused():
    with pytest.raises(ValueError, match="acceptable"):
        best_rank(np.zeros((2, 3)), np.array([[True, False, False], [False, False, False]]))


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        best_rank(np.array([[np.nan, 1.0]]), np.array([True, False]))


@pytest.mark.parametrize("each", [True, False])
def test_ranks_in_parts_are_those_of_all_cosines_at_once(each):
    draw = random(0, "parts")
    queries, gallery = (draw.standard_normal((count, 8)).astype(np.float32) for count in (2500, 30))
    marked = draw.random((2500, 30) if each else 30) < 0.2
    marked[..., 7] = True
    found = ranks(queries, gallery, (lambda rows: marked[rows]) if each else marked)
    assert (found == best_rank(queries @ gallery.T, marked)).mean() > 0.999  # sums of floats in other orders
    assert len(ranks(queries[:0], gallery, np.ones(30, bool))) == 0


@pytest.mark.parametrize(("gallery", "expected"), [(1, [1]), (5, [1]), (6, [1, 5]), (10, [1, 5]), (11, [1, 5, 10])])
def test_depths_stay_below_the_gallery(gallery, expected):
    assert depths(gallery) == expected
