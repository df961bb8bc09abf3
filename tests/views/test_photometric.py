"""Colours and blur: each picture by its own factor, as torchvision does it to one picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from bezoar.run import random
from bezoar.views import photometric

FACTORS = torch.tensor([0.0, 0.5, 0.83, 1.0, 1.21, 1.5])
TURNS = torch.tensor([-0.5, -0.1, -0.033, 0.0, 0.1, 0.5])


def pictures(count=6, side=24, name="photometric"):
    """Noise, and pictures with what breaks colour formulas: equal channels, black, white, pure colours."""
    batch = torch.from_numpy(random(0, name).integers(0, 256, (count, 3, side, side)).astype(np.float32) / 255)
    batch[:, :, 0, :] = batch[:, :1, 0, :]
    batch[:, :, 1, :4] = 0
    batch[:, :, 1, 4:8] = 1
    batch[:, :, 1, 8:11] = torch.eye(3)
    batch[:, :, 1, 11:14] = 1 - torch.eye(3)
    return batch


@pytest.mark.parametrize(
    ("change", "single", "factors"),
    [
        (photometric.brightness, functional.adjust_brightness, FACTORS),
        (photometric.contrast, functional.adjust_contrast, FACTORS),
        (photometric.saturation, functional.adjust_saturation, FACTORS),
        (photometric.hue, functional.adjust_hue, TURNS),
    ],
    ids=["brightness", "contrast", "saturation", "hue"],
)
def test_a_change_equals_torchvisions_of_each_picture(change, single, factors):
    batch = pictures()
    changed = change(batch, factors)
    for picture, factor, ours in zip(batch, factors, changed, strict=True):
        assert torch.allclose(ours, single(picture, float(factor)), atol=1e-5)


def test_gray_equals_torchvisions():
    batch = pictures()
    assert torch.allclose(photometric.gray(batch), functional.rgb_to_grayscale(batch), atol=1e-6)


@pytest.mark.parametrize("taps", [3, 9, 21])
def test_a_blur_equals_torchvisions_of_each_picture(taps):
    batch, sigmas = pictures(4), torch.tensor([0.02, 0.3, 1.0, 2.0])
    blurred = photometric.blur(batch, sigmas, taps)
    for picture, sigma, ours in zip(batch, sigmas, blurred, strict=True):
        assert torch.allclose(ours, functional.gaussian_blur(picture, [taps, taps], [float(sigma)] * 2), atol=1e-5)


def test_a_jitter_follows_each_pictures_order():
    single = (
        functional.adjust_brightness,
        functional.adjust_contrast,
        functional.adjust_saturation,
        functional.adjust_hue,
    )
    assert sorted(map(tuple, photometric.ORDERS)) == sorted(set(map(tuple, photometric.ORDERS)))
    assert photometric.ORDERS.shape == (24, 4)
    batch, draw = pictures(24), random(1, "jitter")
    factors = draw.uniform(0.5, 1.5, (24, 4)).astype(np.float32)
    factors[:, 3] = (factors[:, 3] - 1) / 5
    before = batch.clone()
    changed = photometric.jitter(batch, factors, np.arange(24))
    assert torch.equal(batch, before)
    for picture, strengths, order, ours in zip(batch, factors, photometric.ORDERS, changed, strict=True):
        expected = picture
        for kind in order:
            expected = single[kind](expected, float(strengths[kind]))
        assert torch.allclose(ours, expected, atol=1e-4)
