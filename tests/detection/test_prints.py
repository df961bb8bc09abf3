"""Prints: what tells copies of a picture, against a transform written out and against pictures that were changed."""

import numpy as np
import pytest
from scipy.fft import dctn

from bezoar.detection.prints import PLAIN, Prints, prints_of


def scenes(n=12, side=40, seed=0):
    """Smooth pictures: a few waves of their own in each colour."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    waves = draw.uniform(-2.5, 2.5, (n, 3, 4, 3))
    pictures = sum(
        np.sin(2 * np.pi * (w[..., :1] * x.ravel() + w[..., 1:2] * y.ravel() + w[..., 2:]))
        for w in np.moveaxis(waves, 2, 0)
    )
    return np.uint8(np.clip(128 + 28 * pictures.reshape(n, 3, side, side), 0, 255))


def likeness(one, other):
    return (one.tones.astype(float) * other.tones).sum(1) / 127**2


@pytest.mark.parametrize("side", [24, 40, 64])
def test_tones_are_the_lowest_frequencies_weighted_by_their_frequency(side):
    pictures = scenes(6, side)
    luma = np.tensordot([0.299, 0.587, 0.114], pictures.astype(float), (0, 1))
    planes = [luma, pictures[:, 2] - luma, pictures[:, 0] - luma]
    parts = []
    for plane, count in zip(planes, (8, 4, 4), strict=True):
        weight = np.hypot(*np.mgrid[:count, :count])
        parts.append((dctn(plane, axes=(1, 2), norm="ortho")[:, :count, :count] * weight).reshape(6, -1))
    expected = np.concatenate(parts, axis=1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(prints_of(pictures).tones / 127 - expected).max() < 0.01


def test_what_was_enlarged_keeps_its_tones_and_colour():
    pictures = scenes()
    small, large = prints_of(pictures), prints_of(pictures.repeat(3, axis=2).repeat(3, axis=3))
    assert likeness(small, large).min() > 0.97
    assert np.abs(small.colour - large.colour).max() <= 1


def test_brighter_and_softer_contrast_keep_the_bits_nearly():
    pictures = scenes()
    changed = np.uint8(np.clip(pictures * 0.85 + 20, 0, 255))
    bits = prints_of(pictures).bits ^ prints_of(changed).bits
    assert max(int(one).bit_count() for one in bits) <= 6
    others = prints_of(pictures).bits ^ np.roll(prints_of(pictures).bits, 1)
    assert min(int(one).bit_count() for one in others) > 6


def test_the_digest_is_of_the_very_pixels():
    pictures = scenes(3)
    again = pictures.copy()
    again[1, 0, 0, 0] ^= 1
    equal = prints_of(pictures).digest == prints_of(again).digest
    assert equal.tolist() == [True, False, True]


def test_grey_cards_are_plain_noise_of_an_encoder_or_not():
    draw = np.random.default_rng(1)
    cards = np.full((4, 3, 32, 32), 128) + draw.integers(-2, 3, (4, 3, 32, 32)) * np.arange(4)[:, None, None, None] // 3
    assert prints_of(np.uint8(cards)).plain.all()
    assert not prints_of(scenes()).plain.any()
    assert PLAIN > 0


def test_taken_in_any_order_and_any_parts():
    pictures = scenes()
    whole, parts = prints_of(pictures), Prints.blank(12)
    for positions in (np.array([7, 3]), np.array([0, 1, 2, 11, 10]), np.array([4, 5, 6, 8, 9])):
        parts.take(positions, pictures[positions])
    for name in ("digest", "bits", "tones", "colour", "plain"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
    assert np.array_equal(whole.of(np.array([5, 2])).digest, whole.digest[[5, 2]])


def test_tiny_pictures_and_none():
    assert len(prints_of(np.zeros((0, 3, 32, 32), np.uint8))) == 0
    tiny = prints_of(scenes(3, 4))
    assert len(set(tiny.digest.tolist())) == 3
