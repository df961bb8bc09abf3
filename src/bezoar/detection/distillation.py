"""Cognitive Distillation: how little of a picture is enough for the model to see the same.

* A mask is learned for each picture on its own; which other pictures share its batch changes nothing but rounding.
* Chance is keyed by the row, so a part of the rows can be asked for, and gives what the whole set gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bezoar.detection.changed import BATCH, every_row, pictures
from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence, Look
from bezoar.detection.neighbours import Indices
from bezoar.run import random

if TYPE_CHECKING:
    import torch

STEPS = 100
LEARNING_RATE = 0.1
BETAS = (0.1, 0.1)
# Weights of the mean of the mask, and of its variation, against a difference of vectors of their own size.
SPARSITY = 2.0
SMOOTHNESS = 4.0
# A picture a step: a forward pass, and a backward pass that costs two.
COST = 3 * STEPS


def cognitive_distillation(evidence: Evidence, _: Look, rows: Indices | None = None) -> Scores:
    """Return minus the size of the mask that keeps each picture's vector, (b,): a small mask is suspicious.

    Huang et al., ICLR 2023, arXiv 2301.10908, in the form of Huang et al., ICLR 2025, arXiv 2502.01385. The mask
    M = (tanh θ + 1) / 2 has one channel and starts at θ = 1. Over STEPS steps of Adam (LEARNING_RATE, BETAS) it
    minimises mean |f(x') − f(x)| / mean |f(x)| + SPARSITY · mean M + SMOOTHNESS · TV(M), where x' = M·x + (1 − M)·c, c
    is one random colour for each picture and step, f the raw image vector and TV the sum of squared differences of
    neighbours over the number of pixels.

    The published weights, 0.001 of the sum of the mask and 100 of TV, hold for vectors of one length and pictures of
    224 pixels: where vectors are sixty times as long and pictures have 40 pixels, no mask shrinks. So the difference is
    in shares of the vector's size here and the mask is a mean, in the published proportion of sparsity and smoothness
    (0.001 · 224² to 100). What is left is one number, chosen on a generated set with a patch, seed 0. The published
    script forgets the minus: a trigger is enough for the model, so the planted pictures have the small masks.

    `rows` (b,) are the pairs to look at, all by default: each costs as much as COST forward passes.
    """
    asked = every_row(evidence, rows)
    sizes = [_mask_sizes(evidence, asked[start : start + BATCH]) for start in range(0, len(asked), BATCH)]
    return -np.concatenate(sizes) if sizes else np.zeros(0)


def _mask_sizes(evidence: Evidence, rows: Indices) -> Scores:
    """Return ‖M‖₁ of the learned mask of each row, (b,)."""
    import torch

    assert evidence.encode is not None
    seen = pictures(evidence, rows)
    colours = _colours(evidence, rows)
    with torch.no_grad():
        wanted = evidence.encode(seen)
        size = wanted.abs().mean(1).clamp(min=1e-12)
    theta = torch.ones_like(seen[:, :1]).requires_grad_()
    optimiser = torch.optim.Adam([theta], lr=LEARNING_RATE, betas=BETAS)
    for step in range(STEPS):
        mask = (theta.tanh() + 1) / 2
        kept = mask * seen + (1 - mask) * colours[step]
        changed = (evidence.encode(kept) - wanted).abs().mean(1) / size
        # Summed over pictures below: each mask's gradient is that of its own picture.
        loss = changed + SPARSITY * mask.mean((1, 2, 3)) + SMOOTHNESS * _variation(mask)
        (theta.grad,) = torch.autograd.grad(loss.sum(), [theta])
        optimiser.step()
    return np.asarray(((theta.detach().tanh() + 1) / 2).sum((1, 2, 3)).double().cpu().numpy())


def _colours(evidence: Evidence, rows: Indices) -> torch.Tensor:
    """Return one colour in 0-255 for each step and row, (steps, b, 3, 1, 1)."""
    import torch

    draws = [random(evidence.seed, "cognitive-distillation", row) for row in rows.tolist()]
    drawn = [draw.random((STEPS, 3), np.float32) for draw in draws]
    colours = torch.from_numpy(255 * np.stack(drawn, axis=1)).to(evidence.device)
    return colours[..., None, None]


def _variation(mask: torch.Tensor) -> torch.Tensor:
    """Return the total variation of masks (b, 1, s, s): squared differences of neighbours over the pixels, (b,)."""
    down = (mask[..., 1:, :] - mask[..., :-1, :]).square().sum((1, 2, 3))
    across = (mask[..., :, 1:] - mask[..., :, :-1]).square().sum((1, 2, 3))
    return (down + across) / mask[0].numel()
