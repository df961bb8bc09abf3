"""The backdoor z-score against loops over pairs of pictures."""

from itertools import combinations
from statistics import mean, stdev, variance

import numpy as np
import pytest
from tests.evaluation.words import by_name

from bezoar.evaluation import z_score
from bezoar.evaluation.backdoor import Marked
from bezoar.evaluation.z_score import z_scores


def pair_cosines(vectors):
    """The cosine of every pair of pictures, one at a time."""
    return [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in combinations(vectors.astype(float), 2)]


def test_the_score_equals_a_loop_over_pairs(bench, patch):
    marked = Marked.on(bench, patch)
    clean, triggered = pair_cosines(bench.plain), pair_cosines(marked.vectors)
    rows = by_name(z_scores(bench, marked, "goal"))
    shift = mean(triggered) - mean(clean)
    assert shift > 0
    assert rows["z-score-sd"].value == pytest.approx(shift / stdev(clean), rel=1e-4)
    assert rows["z-score-var"].value == pytest.approx(shift / variance(clean), rel=1e-4)
    for row in rows.values():
        assert row.low < row.value < row.high
        assert (row.n, row.goal, row.unit) == (90, "goal", "z-score")
        assert "4,005 pairs i < j" in row.protocol


def test_its_interval_is_that_of_resampled_pictures_never_paired_with_themselves(bench, patch):
    marked = Marked.on(bench, patch)
    rows = np.random.default_rng(0).integers(90, size=(300, 90))
    before, after = (np.zeros((90, 90)) for _ in range(2))
    for table, vectors in ((before, bench.plain), (after, marked.vectors)):
        table[np.triu_indices(90, 1)] = pair_cosines(vectors)
        table += table.T
    scores = []
    for drawn in rows:
        other = drawn[:, None] < drawn[None, :]  # pairs of two different pictures, once each
        own = [table[np.ix_(drawn, drawn)][other] for table in (before, after)]
        scores.append((own[1].mean() - own[0].mean()) / own[0].std(ddof=1))
    row = by_name(z_scores(bench, marked, "goal"))["z-score-sd"]
    spread = np.subtract(*np.percentile(scores, [97.5, 2.5]))
    assert row.high - row.low == pytest.approx(spread, rel=0.25)


def test_a_trigger_that_does_nothing_scores_nothing(bench):
    rows = z_scores(bench, Marked(bench.base, "none"), "goal")
    assert [(row.value, row.low, row.high) for row in rows] == [(0.0, 0.0, 0.0)] * 2


def test_a_large_set_is_sampled_by_the_seed(bench_of, world_pairs, patch, monkeypatch):
    monkeypatch.setattr(z_score, "MOST", 40)
    benches = [bench_of(world_pairs, seed=seed) for seed in (1, 1, 2)]
    first, again, other = ([row.value for row in z_scores(one, Marked.on(one, patch), "g")] for one in benches)
    assert first == again != other
    assert z_scores(benches[0], Marked.on(benches[0], patch), "g")[0].n == 40


def test_two_pictures_or_one_vector_for_all_have_no_score(bench_of, world_pairs, patch):
    few = bench_of(world_pairs, count=2)
    assert z_scores(few, Marked.on(few, patch), "goal") == []
    flat = bench_of(world_pairs, count=9)
    flat.__dict__["plain"] = np.ones((9, 4), np.float32)
    assert z_scores(flat, Marked(np.ones((9, 4), np.float32), "none"), "goal") == []
