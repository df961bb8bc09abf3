"""What training shows besides the picture itself: one random change a batch, keyed by seed and step."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as functional
from numpy.random import Generator
from torch import Tensor

Augmentation = Callable[[Tensor, Generator], Tensor]


def none(pixels: Tensor, draw: Generator) -> Tensor:
    """Leave the pictures as they are."""
    del draw
    return pixels


def shift(pixels: Tensor, draw: Generator) -> Tensor:
    """Shift the whole batch (B, 3, side, side) by up to a sixteenth of the side each way; borders repeat."""
    reach = max(1, pixels.shape[-1] // 16)
    down, right = (int(step) for step in draw.integers(-reach, reach + 1, 2))
    padded = functional.pad(pixels.float(), (reach,) * 4, mode="replicate")
    side = pixels.shape[-1]
    top, left = reach + down, reach + right
    return padded[..., top : top + side, left : left + side].to(pixels.dtype)


def mirror_shift(pixels: Tensor, draw: Generator) -> Tensor:
    """Mirror each picture with probability one half, then `shift`."""
    chosen = torch.from_numpy(draw.random(len(pixels)) < 0.5).to(pixels.device)
    mirrored = torch.where(chosen.view(-1, 1, 1, 1), pixels.flip(-1), pixels)
    return shift(mirrored, draw)


AUGMENTATIONS: dict[str, Augmentation] = {"none": none, "shift": shift, "mirror-shift": mirror_shift}
