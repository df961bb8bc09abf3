"""Accuracy against the cost of views: all views are the default itself, and fewer cost what they say."""

from dataclasses import replace

import numpy as np
import pytest
from studies import detection_views
from studies.detection_views import LOOKERS, SAMPLE, SUSPECTED, Seen, asked_of, jobs, measured, with_views

from bezoar.detection import default
from bezoar.detection.default import WITNESSES
from bezoar.detection.evidence import Evidence, Look
from bezoar.detection.robust import robust_z

N, PLANTED, VIEWS = 600, 30, 12


@pytest.fixture(scope="module")
def seen():
    """Pairs that fit their captions, of which the planted fall under every view and lie a little apart."""
    draw = np.random.default_rng(5)
    text = draw.normal(size=(N, 16)).astype(np.float32)
    image = text + draw.normal(size=(N, 16)).astype(np.float32)
    planted = np.arange(N) < PLANTED
    image[planted] *= 1.2
    text[planted] = text[0] + 0.1 * draw.normal(size=(PLANTED, 16))
    evidence = Evidence(image=image, text=text, seed=3)
    views = evidence.fit[:, None] + draw.normal(0, 0.05, size=(N, VIEWS)) - np.where(planted, 0.4, 0.0)[:, None]
    evidence = replace(evidence, view_similarity=views.astype(np.float32))
    density = next(witness for witness in WITNESSES if witness.name == "density").function(evidence, Look())
    return Seen({"density": robust_z(density)}, evidence, planted)


def test_all_views_rank_as_the_default_does(seen):
    everybody = np.arange(N)
    scores = with_views(seen, VIEWS, everybody, everybody)
    assert np.corrcoef(scores, default.testify(seen.evidence).score)[0, 1] == pytest.approx(1.0, abs=1e-9)


def test_fewer_views_are_the_default_on_a_part_of_the_table(seen):
    everybody = np.arange(N)
    for views in (0, 2, 8):
        table = seen.evidence.view_similarity[:, :views] if views else None
        expected = default.testify(replace(seen.evidence, view_similarity=table)).score
        scores = with_views(seen, views, everybody, everybody)
        assert np.corrcoef(scores, expected)[0, 1] == pytest.approx(1.0, abs=1e-9), views


def test_who_was_not_asked_counts_as_ordinary_whatever_his_views_show(seen, monkeypatch):
    asked = []

    def watched(given, views, rows, ordinary):
        asked.append(rows)
        return with_views(given, views, rows, ordinary)

    monkeypatch.setattr(detection_views, "with_views", watched)
    scores, passes = asked_of(seen, VIEWS, SUSPECTED)
    assert passes == 1 + VIEWS * len(asked[-1]) / N
    assert SUSPECTED * N < len(asked[-1]) < (SUSPECTED + SAMPLE) * N
    others = np.setdiff1d(np.arange(N), asked[-1])
    for rows, same in ((others, True), (asked[-1][::2], False)):
        views = seen.evidence.view_similarity.copy()
        views[rows] -= 5.0
        changed = replace(seen, evidence=replace(seen.evidence, view_similarity=views))
        assert np.array_equal(asked_of(changed, VIEWS, SUSPECTED)[0], scores) is same


def test_the_truth_is_not_asked_whose_views_are_looked_at(seen):
    blind = replace(seen, planted=np.roll(seen.planted, 100))
    for views, share in ((4, 1.0), (VIEWS, SUSPECTED)):
        np.testing.assert_array_equal(asked_of(blind, views, share)[0], asked_of(seen, views, share)[0])


def test_views_are_paid_for_and_find_what_falls_under_them(seen):
    rows = {(row["views"], row["share"], row["measure"]): row for row in measured(seen)}
    assert [rows[views, 1.0, "auroc"]["passes"] for views in (0, 1, 12)] == [1, 2, 13]
    assert rows[12, SUSPECTED, "auroc"]["passes"] < 5
    precision = {views: rows[views, 1.0, "average-precision"]["value"] for views in (0, 4, 12)}
    assert precision[0] < precision[4] <= precision[12]
    assert rows[0, 1.0, "auroc"]["n"] == PLANTED


def test_the_cells_are_those_of_the_question_each_once():
    names = [job.name for job in jobs([100, 101, 102])]
    assert len(names) == len(set(names)) == 5 * 3 + 1
    assert {"generated/clean-label-600/102", "cifar10/badnets-200/100"} <= set(names)
    assert "cifar10/badnets-200/101" not in names
    assert {witness.name for witness in LOOKERS} == {"view-mismatch", "view-drop", "view-constancy"}
    assert max(views for views, _ in detection_views.ASKED) == VIEWS
