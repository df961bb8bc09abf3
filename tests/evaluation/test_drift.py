"""Drift, against cosines taken one at a time."""

import numpy as np
import pytest

from bezoar.evaluation.drift import drift
from bezoar.models import create


def test_a_model_that_has_not_moved_has_cosines_of_one(bench):
    rows = drift(bench, bench)
    assert [row.name for row in rows] == ["old-new-cosine-image", "old-new-cosine-text"]
    for row in rows:
        assert (row.value, row.low, row.high) == pytest.approx((1, 1, 1), abs=1e-6)
        assert row.unit == "cosine"


def test_the_mean_is_that_of_each_pictures_and_each_unique_captions_cosine(bench, bench_of, several):
    other = create("tiny-resnet", side=32, seed=7)
    before, after = bench_of(several), bench_of(several, model=other)
    image, text = drift(before, after)

    def mean(first, second):
        return np.mean(
            [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(first, second, strict=True)]
        )

    captions = sorted({caption for own in several.captions for caption in own})
    assert image.value == pytest.approx(mean(before.plain, after.plain), abs=1e-5)
    assert text.value == pytest.approx(mean(before.texts(captions), after.texts(captions)), abs=1e-5)
    assert (image.n, text.n) == (60, len(captions))
    assert text.low < text.value < text.high < 0.99


def test_a_caption_that_occurs_often_counts_once(bench_of, world_pairs):
    twice = bench_of(world_pairs.select([3, 3, 4]))
    image, text = drift(twice, twice)
    assert (image.n, text.n) == (3, 2)
