"""Contrastive losses, one value a pair: vectors in, (B,) out. Means and weights are the recipe's business."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor


def clip_loss(images: Tensor, texts: Tensor, scale: Tensor) -> Tensor:
    """Return the symmetric InfoNCE of each pair, (B,).

    `images` and `texts` are unit vectors (B, d), row i of both belongs together, every other row is a negative;
    `scale` multiplies the cosines. Source: Radford et al. 2021, section 2.3.
    """
    logits = scale * images @ texts.T
    own = torch.arange(len(logits), device=logits.device)
    to_text = functional.cross_entropy(logits, own, reduction="none")
    to_image = functional.cross_entropy(logits.T, own, reduction="none")
    return (to_text + to_image) / 2
