"""Retrieval both ways against loops, with several captions a picture, and by chance."""

import numpy as np
import pytest
from tests.evaluation.words import by_name, pixels_of

from bezoar.embeddings import unit
from bezoar.evaluation.retrieval import both_ways, captions_of, retrieval
from bezoar.run import random


def test_recall_equals_a_loop_both_ways(bench_of, several, cosines):
    bench = bench_of(several)
    flat = [(owner, caption) for owner, own in enumerate(several.captions) for caption in own]
    table = cosines(pixels_of(bench), [caption for _, caption in flat])
    rows = by_name(retrieval(bench))
    for k in (1, 5, 10):
        to_text = [any(flat[place][0] == row for place in np.argsort(-table[row])[:k]) for row in range(60)]
        to_image = [flat[place][0] in np.argsort(-table[:, place])[:k] for place in range(len(flat))]
        assert rows[f"r@{k}-image-to-text"].value == pytest.approx(np.mean(to_text))
        assert rows[f"r@{k}-text-to-image"].value == pytest.approx(np.mean(to_image))
    counts = {row.name.split("-", 1)[1]: row.n for row in rows.values()}
    assert counts == {"image-to-text": 60, "text-to-image": 80}
    assert "gallery: 80 captions" in rows["r@1-image-to-text"].protocol


def test_a_random_model_finds_what_chance_finds_both_ways():
    """Shared code of earlier papers fills every fifth rank only, and counts at least 80 % as hits."""
    draw, n, each = random(0, "chance"), 400, 5
    images, texts = (unit(draw.standard_normal((count, 16)).astype(np.float32)) for count in (n, n * each))
    to_text, to_image = both_ways(images, texts, np.repeat(np.arange(n), each))
    assert (len(to_text), len(to_image)) == (n, n * each)
    for k in (1, 5, 10, 40):
        # One of five captions among the first k of 2,000: five chances of k in 2,000.
        assert np.mean(to_text < k) == pytest.approx(1 - (1 - k / (n * each)) ** each, abs=4 * np.sqrt(k / n / n))
        assert np.mean(to_image < k) == pytest.approx(k / n, abs=4 * np.sqrt(k / n / (n * each)))


def test_every_caption_of_a_picture_counts():
    """Whichever of five captions fits is found, and none of the others is taken for a hit."""
    images = np.eye(6, dtype=np.float32)
    owner = np.repeat(np.arange(6), 5)
    for fitting in range(5):
        texts = np.zeros((30, 6), np.float32)
        texts[np.arange(30), (owner + 1) % 6] = 1  # all captions fit the next picture
        texts[fitting::5] = images
        to_text, to_image = both_ways(images, texts, owner)
        assert (to_text == 4).all(), "four captions of another picture tie with the own one"
        assert (to_image.reshape(6, 5)[:, fitting] == 0).all()
        assert (np.delete(to_image.reshape(6, 5), fitting, axis=1) > 0).all()


def test_captions_know_their_pictures(several):
    captions = captions_of(several)
    assert [several.captions[row].index(text) >= 0 for row, text in zip(captions.owner, captions.texts, strict=True)]
    assert len(captions) == len(captions.owner) == 80
