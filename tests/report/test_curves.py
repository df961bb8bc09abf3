from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from bezoar.report.curves import sweep, thinned

scored = st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=80).filter(
    lambda rows: len({planted for _, planted in rows}) == 2
)


@given(scored)
def test_both_curves_equal_sklearns(rows: list[tuple[int, bool]]) -> None:
    scores, planted = (np.array(column) for column in zip(*rows, strict=True))
    ours = sweep("any", scores.astype(float), planted)
    false, true, _ = roc_curve(planted, scores, drop_intermediate=False)
    assert ours.roc()[0] == pytest.approx(false[1:])
    assert ours.roc()[1] == pytest.approx(true[1:])
    precision, recall, _ = precision_recall_curve(planted, scores)
    assert ours.precision_recall()[0] == pytest.approx(recall[:-1][::-1])
    assert ours.precision_recall()[1] == pytest.approx(precision[:-1][::-1])


def test_a_missing_score_finds_nothing() -> None:
    ours = sweep("any", [np.nan, 1.0, 0.0], [True, False, False])
    assert ours.found.tolist() == [0, 0, 1]


def test_no_pairs_make_an_empty_curve() -> None:
    assert sweep("any", [], []).found.size == 0


@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), min_size=1, max_size=60))
def test_thinning_keeps_the_ends_and_stays_near(points: list[tuple[float, float]]) -> None:
    x, y = np.array(points).T
    kept_x, kept_y = thinned(x, y)
    assert (kept_x[0], kept_y[0], kept_x[-1], kept_y[-1]) == (x[0], y[0], x[-1], y[-1])
    far = np.maximum(np.abs(x[:, None] - kept_x), np.abs(y[:, None] - kept_y)).min(axis=1)
    assert far.max() <= 0.7
