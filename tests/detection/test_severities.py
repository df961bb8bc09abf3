"""Damage in five severities: what each does to a picture, and that it grows."""

import colorsys
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from bezoar.detection.severities import CORRUPTIONS, SEVERITIES, corrupted

SIDE = 56
NAMES = [corruption.name for corruption in CORRUPTIONS]


@pytest.fixture(scope="module")
def picture():
    draw = np.random.default_rng(0)
    smooth = gaussian_filter(draw.random((1, 3, SIDE, SIDE)), (0, 0, 3, 3))
    levels = 255 * (smooth - smooth.min()) / np.ptp(smooth)
    return torch.from_numpy(np.round(levels)).float()


@pytest.fixture(scope="module")
def damaged(picture):
    every = [one[0] for one in corrupted(picture, np.array([4]), 0)]
    return {name: every[SEVERITIES * place : SEVERITIES * (place + 1)] for place, name in enumerate(NAMES)}


@pytest.mark.parametrize("name", NAMES)
def test_worse_severities_do_more_damage_and_stay_among_levels(picture, damaged, name):
    distances = [float((one - picture[0]).abs().mean()) for one in damaged[name]]
    # Half as many pixels lie just where pairs of the old ones do, and 0.6 as many do not: there it is a draw.
    assert all(worse > 0.97 * better for better, worse in pairwise(distances))
    assert 0 < distances[0] < distances[4] / 1.2
    assert all(one.min() >= 0 and one.max() <= 255 for one in damaged[name])


def test_blur_is_scipys(picture, damaged):
    for sigma, one in zip((1, 2, 3, 4, 6), damaged["gaussian-blur"], strict=True):
        width = sigma * SIDE / 224
        # Reflected about the border pixels, as torch's padding is.
        peer = gaussian_filter(
            picture[0].numpy(), (0, width, width), mode="mirror", radius=(0, *2 * [round(4 * width)])
        )
        np.testing.assert_allclose(one, peer, atol=0.05)


def test_noise_has_the_published_deviation():
    grey = torch.full((40, 3, 16, 16), 127.5)
    first = next(iter(corrupted(grey, np.arange(40), 0)))
    assert float((first - grey).std()) == pytest.approx(0.08 * 255, rel=0.03)


def test_impulses_hit_the_published_share(damaged, picture):
    hit = (damaged["impulse-noise"][4] != picture[0]).float().mean()
    assert float(hit) == pytest.approx(0.27, abs=0.03)
    assert set(damaged["impulse-noise"][4][damaged["impulse-noise"][4] != picture[0]].tolist()) == {0.0, 255.0}


def test_brightness_raises_the_value_and_nothing_else(damaged, picture):
    before, after = picture[0, :, 20, 30].numpy() / 255, damaged["brightness"][0][:, 20, 30].numpy() / 255
    hue, saturation, value = colorsys.rgb_to_hsv(*before)
    assert colorsys.rgb_to_hsv(*after) == pytest.approx((hue, saturation, min(1, value + 0.1)), abs=1e-5)


def test_pixelating_leaves_few_values(damaged):
    assert len(np.unique(damaged["pixelate"][4][0].numpy())) <= (SIDE // 4) ** 2


def test_contrast_shrinks_about_the_mean_of_each_channel(damaged, picture):
    mean = picture[0].mean((1, 2), keepdim=True)
    np.testing.assert_allclose(damaged["contrast"][4], mean + 0.05 * (picture[0] - mean), atol=1e-2)


def test_a_rows_damage_does_not_depend_on_the_others(picture):
    three = picture.expand(3, 3, SIDE, SIDE)
    for alone, among in zip(
        corrupted(picture, np.array([8]), 1), corrupted(three, np.array([5, 8, 9]), 1), strict=True
    ):
        np.testing.assert_allclose(alone[0], among[1], atol=1e-3)
