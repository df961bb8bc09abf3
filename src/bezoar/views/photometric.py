"""Changes of colour and sharpness, each picture of a batch by its own factor.

* Pictures are (B, 3, h, w) floats in [0, 1]; factors are (B,) floats on the same device.
* One picture and one factor give what torchvision's v2 functional of the same name gives for a float picture.
* A picture's result never depends on the other pictures of its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GRAY = (0.2989, 0.587, 0.114)
Change = Callable[[Tensor, Tensor], Tensor]


def gray(pictures: Tensor) -> Tensor:
    """Return the brightness (B, 1, h, w) of pictures (ITU-R 601)."""
    red, green, blue = pictures.unbind(1)
    return (GRAY[0] * red + GRAY[1] * green + GRAY[2] * blue)[:, None]


def brightness(pictures: Tensor, factors: Tensor) -> Tensor:
    """Multiply each picture by its factor."""
    return (pictures * _wide(factors)).clamp_(0, 1)


def contrast(pictures: Tensor, factors: Tensor) -> Tensor:
    """Move each picture away from its mean brightness, factor 0 to one gray, factor 1 not at all."""
    # The mean of a picture's line means: one long sum would be cut differently for other batch sizes.
    mean = gray(pictures).mean(-1, keepdim=True).mean(-2, keepdim=True)
    return _blend(pictures, mean, factors)


def saturation(pictures: Tensor, factors: Tensor) -> Tensor:
    """Move each picture away from its gray version, factor 0 to gray, factor 1 not at all."""
    return _blend(pictures, gray(pictures), factors)


def hue(pictures: Tensor, turns: Tensor) -> Tensor:
    """Turn the hue of each picture by a share of the colour circle, in [-0.5, 0.5]."""
    red, green, blue = pictures.unbind(1)
    value, lowest = pictures.amax(1), pictures.amin(1)
    chroma = value - lowest
    scale = torch.where(chroma == 0, 1.0, chroma)
    # Sixths of the circle from red; equal channels fall to the first that is highest, as in torchvision.
    sixths = torch.where(
        value == red,
        (green - blue) / scale,
        torch.where(value == green, 2 + (blue - red) / scale, 4 + (red - green) / scale),
    )
    place = torch.tensor([5.0, 3.0, 1.0], device=pictures.device).view(1, 3, 1, 1)
    place = (place + (sixths + 6 * turns.view(-1, 1, 1))[:, None]).remainder_(6)
    missing = torch.minimum(place, 4 - place).clamp_(0, 1)
    return value[:, None] - chroma[:, None] * missing


def blur(pictures: Tensor, sigmas: Tensor, taps: int) -> Tensor:
    """Blur each picture by a Gaussian of its own width, cut to `taps` (odd) pixels; borders are reflected."""
    reach = taps // 2
    places = torch.arange(-reach, reach + 1, device=pictures.device)
    weights = torch.softmax(-0.5 * (places / sigmas[:, None]) ** 2, dim=1)
    for axis in (-1, -2):
        border = (reach, reach, 0, 0) if axis == -1 else (0, 0, reach, reach)
        padded = torch.nn.functional.pad(pictures, border, mode="reflect")
        length = pictures.shape[axis]
        # A sum over shifts beats a convolution: with a kernel of its own for each picture that one is slow on a CPU.
        pictures = torch.zeros_like(pictures)
        for tap in range(taps):
            pictures.addcmul_(padded.narrow(axis, tap, length), _wide(weights[:, tap]))
    return pictures


CHANGES: tuple[Change, ...] = (brightness, contrast, saturation, hue)
ORDERS = np.array(list(permutations(range(len(CHANGES)))))


def jitter(pictures: Tensor, factors: NDArray[np.float32], orders: NDArray[np.int64]) -> Tensor:
    """Apply the four `CHANGES` to each picture with its factors (B, 4), in its order: a row of `ORDERS` (24, 4)."""
    changed = pictures.clone()
    strengths = torch.from_numpy(factors).to(pictures.device)
    for turn in range(len(CHANGES)):
        for kind, change in enumerate(CHANGES):
            chosen = np.flatnonzero(ORDERS[orders, turn] == kind)
            if len(chosen):
                rows = torch.from_numpy(chosen).to(pictures.device)
                changed[rows] = change(changed[rows], strengths[rows, kind])
    return changed


def _wide(factors: Tensor) -> Tensor:
    return factors.view(-1, 1, 1, 1)


def _blend(pictures: Tensor, others: Tensor, factors: Tensor) -> Tensor:
    share = _wide(factors)
    return (pictures * share + others * (1 - share)).clamp_(0, 1)
