"""Figures of scores against the truth, held against scikit-learn, the package's own judge and a naive loop."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from studies.detection_measure import areas, decided, figures, highest

from bezoar.detection.truth import judge
from bezoar.evaluation.intervals import wilson


def drawn(seed, n=400, planted=25, digits=1):
    draw = np.random.default_rng(seed)
    truth = np.zeros(n, bool)
    truth[draw.choice(n, planted, replace=False)] = True
    return np.round(draw.normal(size=n) + 1.5 * truth, digits), truth  # with ties


def named(rows):
    return {row["measure"]: row for row in rows}


@pytest.mark.parametrize("seed", range(4))
def test_without_weights_the_figures_are_those_of_the_package(seed):
    scores, truth = drawn(seed)
    found, judged = named(figures(scores, truth)), judge(scores, truth, 0.05)
    assert found["auroc"]["value"] == pytest.approx(judged.auroc)
    assert found["average-precision"]["value"] == pytest.approx(judged.average_precision)
    for percent in (95, 99, 100):
        assert found[f"fpr-at-{percent}-tpr"]["value"] == pytest.approx(getattr(judged, f"fpr_at_{percent}_tpr"))
    assert found["recall-at-5-percent-dropped"]["value"] == pytest.approx(judged.recall_at_drop)
    assert found["recall-at-2-percent-dropped"]["value"] == pytest.approx(judge(scores, truth, 0.02).recall_at_drop)


@pytest.mark.parametrize("seed", range(4))
def test_weights_count_as_in_scikit_learn(seed):
    scores, truth = drawn(seed)
    weights = np.random.default_rng(seed).uniform(1, 9, len(scores))
    both = np.where(truth, 1.0, weights)
    auroc, precision = areas(scores, truth, weights)
    assert auroc["value"] == pytest.approx(roc_auc_score(truth, scores, sample_weight=both))
    assert precision["value"] == pytest.approx(average_precision_score(truth, scores, sample_weight=both))


def test_a_sample_of_the_clean_pairs_estimates_what_the_whole_set_says():
    scores, truth = drawn(0, n=20_000, planted=200, digits=9)
    clean = np.flatnonzero(~truth)
    rows = np.concatenate([np.flatnonzero(truth), np.random.default_rng(1).choice(clean, 4000, replace=False)])
    weights = np.full(len(rows), len(clean) / 4000)
    part, whole = named(figures(scores[rows], truth[rows], weights)), named(figures(scores, truth))
    for measure in ("auroc", "average-precision", "recall-at-2-percent-dropped", "fpr-at-95-tpr"):
        assert part[measure]["value"] == pytest.approx(whole[measure]["value"], abs=0.04)
    bare = named(figures(scores[rows], truth[rows]))
    assert bare["average-precision"]["value"] > whole["average-precision"]["value"] + 0.1


def test_intervals_hold_the_figure_and_narrow_with_more_pairs():
    widths = []
    for n in (300, 6000):
        rows = named(figures(*drawn(3, n=n, planted=n // 10)))
        for name, row in rows.items():
            assert row["low"] <= row["value"] <= row["high"], name
        widths.append(rows["auroc"]["high"] - rows["auroc"]["low"])
    assert widths[1] < widths[0] / 2
    k = round(rows["fpr-at-95-tpr"]["value"] * rows["fpr-at-95-tpr"]["n"])
    assert (rows["fpr-at-95-tpr"]["low"], rows["fpr-at-95-tpr"]["high"]) == wilson(k, 5400)


def test_the_same_seed_gives_the_same_interval():
    assert figures(*drawn(5), seed=2) == figures(*drawn(5), seed=2)
    assert figures(*drawn(5), seed=2) != figures(*drawn(5), seed=3)


def test_what_is_dropped_stays_within_the_share():
    scores = np.arange(10.0)
    assert highest(scores, np.ones(10), 0.3).tolist() == [9, 8, 7]
    assert highest(scores, np.where(np.arange(10) == 8, 5.0, 1.0), 0.3).tolist() == [9]


def test_a_decision_is_judged_by_what_nobody_planted():
    truth, flagged = np.arange(10) < 4, np.isin(np.arange(10), [0, 1, 2, 9])
    rows = named(decided(flagged, truth))
    assert rows["flagged"]["value"] == 4
    assert rows["clean-lost-at-fdr"]["value"] == pytest.approx(1 / 6)
    assert rows["realised-fdp"]["value"] == pytest.approx(1 / 4)
    assert rows["recall-at-fdr"]["value"] == pytest.approx(3 / 4)


def test_a_clean_set_has_no_recall_and_nothing_flagged_is_of_none():
    rows = named(decided(np.zeros(10, bool), np.zeros(10, bool)))
    assert "recall-at-fdr" not in rows
    assert rows["realised-fdp"]["n"] == 0
    assert rows["flagged"]["value"] == 0
