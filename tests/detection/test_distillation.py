"""Cognitive Distillation: a trigger needs a small mask, and the mask is the one that Adam finds by hand."""

import numpy as np
import pytest
import torch
from tests.detection.toy import PLANTED, encode, separated, toy

from bezoar.detection import Look, distillation, parse
from bezoar.detection.distillation import cognitive_distillation
from bezoar.run import random


@pytest.fixture(scope="module")
def scores():
    return parse("cognitive-distillation")(toy())


def test_where_a_patch_is_all_that_the_model_sees_the_mask_is_small(scores):
    assert separated(scores) == 1.0


def test_a_score_is_minus_a_size_between_none_and_all_of_the_pixels(scores):
    assert ((scores > -256) & (scores < 0)).all()


def test_some_rows_get_what_they_get_among_all(scores):
    rows = np.array([25, 1])
    np.testing.assert_allclose(cognitive_distillation(toy(), Look(), rows), scores[rows], rtol=1e-2)


def test_the_length_of_the_models_vectors_plays_no_part(scores):
    longer = toy(encode=lambda pictures: 32 * encode(pictures))
    rows = np.array([0, 9])
    np.testing.assert_allclose(cognitive_distillation(longer, Look(), rows), scores[rows], rtol=1e-3)


def test_the_mask_is_what_adam_makes_of_the_three_terms(monkeypatch):
    """One picture, five steps, all written out."""
    monkeypatch.setattr(distillation, "STEPS", 5)
    held, row = toy(seed=9), PLANTED + 2
    colours = random(9, "cognitive-distillation", row).random((5, 3), np.float32)
    picture = torch.from_numpy(held.pixels[row]).double()
    wanted = encode(picture[None].float()).double()
    theta = torch.ones(16, 16, dtype=torch.float64, requires_grad=True)
    first, second = torch.zeros(16, 16).double(), torch.zeros(16, 16).double()
    for step in range(5):
        mask = (torch.tanh(theta) + 1) / 2
        seen = mask * picture + (1 - mask) * 255 * torch.tensor(colours[step]).double()[:, None, None]
        variation = sum(
            (mask[i, j] - mask[i + down, j + across]) ** 2
            for down, across in ((1, 0), (0, 1))
            for i in range(16 - down)
            for j in range(16 - across)
        )
        change = (encode(seen[None].float()).double() - wanted).abs().mean() / wanted.abs().mean()
        (slope,) = torch.autograd.grad(change + 2 * mask.mean() + 4 * variation / 256, [theta])
        first, second = 0.1 * first + 0.9 * slope, 0.1 * second + 0.9 * slope**2
        mean, square = first / (1 - 0.1 ** (step + 1)), second / (1 - 0.1 ** (step + 1))
        theta = (theta - 0.1 * mean / (square.sqrt() + 1e-8)).detach().requires_grad_()
    expected = float(((torch.tanh(theta.detach()) + 1) / 2).sum())
    assert -cognitive_distillation(held, Look(), np.array([row]))[0] == pytest.approx(expected, rel=1e-3)


def test_the_models_weights_get_no_gradient():
    weight = torch.ones(9, requires_grad=True)
    cognitive_distillation(toy(encode=lambda pictures: encode(pictures) * weight), Look(), np.array([0]))
    assert weight.grad is None


def test_no_rows_are_no_scores():
    assert cognitive_distillation(toy(), Look(), np.array([], np.int64)).shape == (0,)
