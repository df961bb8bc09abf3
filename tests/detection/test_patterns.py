from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from bezoar.detection.patterns import caption_vectors, shared_pattern
from bezoar.run import BezoarError, random


def world(n=40, side=9, width=6, seed=0):
    generator = random(seed, "world", n)
    pixels = generator.integers(0, 256, (n, 3, side, side), dtype=np.uint8)
    captions = generator.standard_normal((n, width)).astype(np.float32)
    return pixels, captions / np.linalg.norm(captions, axis=1, keepdims=True)


def patch(side):
    return random(0, "patch").integers(0, 256, (3, side, side), dtype=np.uint8)


def naive(pixels, captions, nearest):
    """Only for distinct captions: equal ones are taken in an order that is not fixed here."""
    n, channels, side, _ = pixels.shape
    h = np.empty(pixels.shape)
    for i in range(n):
        for c in range(channels):
            x = pixels[i, c].astype(np.float64)
            padded = np.pad(x, 2, mode="reflect")
            for row in range(side):
                for column in range(side):
                    h[i, c, row, column] = x[row, column] - padded[row : row + 5, column : column + 5].mean()
        deviation = h[i].std()
        h[i] /= deviation if deviation > 1e-3 else 1.0
    h = (h - h.mean(0)).reshape(n, -1)
    scores = []
    for i in range(n):
        order = np.argsort(((captions - captions[i]) ** 2).sum(1), kind="stable")
        others = [j for j in order if j != i][:nearest]
        mean = h[others].mean(0)
        scores.append(h[i] @ mean / np.linalg.norm(h[i]) / np.linalg.norm(mean))
    return np.array(scores)


@pytest.mark.parametrize(("n", "side", "nearest"), [(40, 9, 7), (25, 12, 1), (6, 8, 200)])
@pytest.mark.parametrize("device", ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"])
def test_equals_its_formula(n, side, nearest, device):
    pixels, captions = world(n, side)
    expected = naive(pixels, captions, min(nearest, n - 1))
    assert np.allclose(shared_pattern(pixels, captions, nearest=nearest, device=device), expected, atol=2e-3)


def test_pairs_that_share_a_patch_and_a_caption_stand_out():
    pixels, captions = world(600, 16)
    planted = np.arange(600) < 30
    pixels[planted, :, 11:15, 11:15] = patch(4)
    captions[planted] = captions[0]
    assert roc_auc_score(planted, shared_pattern(pixels, captions, nearest=30)) > 0.99


@pytest.mark.parametrize("place", [slice(0, 30), slice(270, 300)])
def test_equal_captions_are_drawn_without_regard_to_place(place):
    # Were ties broken by place, the first would always be among the hundred and the last never.
    pixels, captions = world(300, 9)
    captions[:] = captions[0]
    planted = np.zeros(300, np.bool_)
    planted[place] = True
    pixels[planted, :, 2:8, 2:8] = patch(6)
    scores = shared_pattern(pixels, captions, nearest=100)
    assert roc_auc_score(planted, scores) > 0.75
    assert np.array_equal(scores, shared_pattern(pixels, captions, nearest=100))
    assert not np.array_equal(scores, shared_pattern(pixels, captions, nearest=100, seed=1))


def test_captions_group_or_stand_alone_with_the_same_result():
    pixels, captions = world(60, 9)
    captions = captions[np.arange(60) // 2]
    # One and the same neighbours whether equal captions are grouped or differ in the last digit.
    noise = 1e-7 * random(0, "noise").standard_normal(captions.shape).astype(np.float32)
    grouped = shared_pattern(pixels, captions, nearest=1)
    alone = shared_pattern(pixels, captions + noise, nearest=1)
    assert np.allclose(grouped, alone, atol=2e-3)


def test_a_sample_of_the_set_stands_for_the_set():
    pixels, captions = world(600, 9)
    captions = captions[np.arange(600) % 10]
    planted = np.arange(600) % 10 == 3
    pixels[planted, :, 2:6, 2:6] = patch(4)
    scores = shared_pattern(pixels, captions, nearest=15, sample=200)
    assert roc_auc_score(planted, scores) > 0.95


def test_large_pictures_are_shrunk_by_area_first():
    pixels, captions = world(12, 64)
    large = pixels.repeat(2, axis=2).repeat(2, axis=3)
    assert np.allclose(shared_pattern(large, captions), shared_pattern(pixels, captions), atol=1e-6)


def test_a_memory_map(tmp_path):
    pixels, captions = world(20)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    assert np.array_equal(shared_pattern(mapped, captions), shared_pattern(pixels, captions))


def test_blank_pictures_and_all_identical_ones():
    pixels, captions = world(20)
    pixels[:5] = 128
    assert np.isfinite(shared_pattern(pixels, captions)).all()
    pixels[:] = pixels[10]
    assert np.abs(shared_pattern(pixels, captions)).max() <= 1


def test_one_pair_shares_with_nobody():
    pixels, captions = world(1)
    assert shared_pattern(pixels, captions).tolist() == [0.0]


def test_not_one_caption_a_picture():
    pixels, captions = world(20)
    with pytest.raises(BezoarError, match="do not belong together"):
        shared_pattern(pixels, captions[:19])


def test_caption_vectors_are_unit_and_put_like_words_together():
    vectors = caption_vectors(["a red ball on grass", "the red ball", "a blue fish", "", "a red ball on grass"])
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0, 1])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert np.array_equal(vectors[0], vectors[4])
    assert caption_vectors([]).shape == (0, 512)
