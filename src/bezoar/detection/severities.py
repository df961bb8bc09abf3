"""Damage to pictures in five severities, after ImageNet-C (Hendrycks and Dietterich, ICLR 2019, arXiv 1903.12261).

* Pictures are float (b, 3, s, s) in 0-255, and stay in it; they are not rounded to whole levels.
* Five of the fifteen kinds and the Gaussian blur that stands beside them, by their published constants: those that need
  no stock picture (frost, snow), no codec and no motion. Widths in pixels of 224 shrink with the side.
* A row's noise is keyed by seed and row, and is the same at every severity, only stronger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bezoar.detection.neighbours import Indices
from bezoar.run import random

if TYPE_CHECKING:
    from torch import Tensor

SEVERITIES = 5
_PUBLISHED_SIDE = 224


@dataclass(frozen=True)
class _Noise:
    """`normal` and `uniform` (b, 3, s, s), `coin` the same: what the noises of these rows are made of."""

    normal: Tensor
    uniform: Tensor
    coin: Tensor


@dataclass(frozen=True)
class Corruption:
    """`function` damages pictures in [0, 1] by one of the five `constants`."""

    name: str
    constants: tuple[float, float, float, float, float]
    function: Callable[[Tensor, float, _Noise], Tensor]


def corrupted(pictures: Tensor, rows: Indices, seed: int) -> Iterator[Tensor]:
    """Yield the pictures (b, 3, s, s) of these rows under every corruption, by severity 1 to 5 each."""
    import torch

    shape = tuple(pictures.shape[1:])
    draws = [random(seed, "teco", row) for row in rows.tolist()]
    normal = np.stack([draw.standard_normal(shape, np.float32) for draw in draws])
    uniform = np.stack([draw.random((2, *shape), np.float32) for draw in draws])
    noise = _Noise(*(torch.from_numpy(part).to(pictures.device) for part in (normal, uniform[:, 0], uniform[:, 1])))
    for corruption in CORRUPTIONS:
        for constant in corruption.constants:
            yield corruption.function(pictures / 255, constant, noise).clamp(0, 1) * 255


def _gaussian_noise(pictures: Tensor, deviation: float, noise: _Noise) -> Tensor:
    return pictures + deviation * noise.normal


def _impulse_noise(pictures: Tensor, share: float, noise: _Noise) -> Tensor:
    import torch

    return torch.where(noise.uniform < share, (noise.coin < 0.5).float(), pictures)


def _gaussian_blur(pictures: Tensor, sigma: float, _: _Noise) -> Tensor:
    import torch

    from bezoar.views import photometric

    side = pictures.shape[-1]
    sigma = sigma * side / _PUBLISHED_SIDE
    # Four deviations to each side, as far as reflected borders reach.
    taps = 2 * min(max(1, round(4 * sigma)), side - 1) + 1
    return photometric.blur(pictures, torch.full((len(pictures),), sigma, device=pictures.device), taps)


def _pixelate(pictures: Tensor, share: float, _: _Noise) -> Tensor:
    import torch

    side = pictures.shape[-1]
    small = torch.nn.functional.interpolate(pictures, size=max(1, int(side * share)), mode="area")
    return torch.nn.functional.interpolate(small, size=side, mode="nearest-exact")


def _contrast(pictures: Tensor, factor: float, _: _Noise) -> Tensor:
    mean = pictures.mean(dim=(2, 3), keepdim=True)
    return (pictures - mean) * factor + mean


def _brightness(pictures: Tensor, added: float, _: _Noise) -> Tensor:
    import torch

    # Of hue, saturation and value only the value grows: all channels by the same factor.
    value = pictures.amax(dim=1, keepdim=True)
    raised = (value + added).clamp(max=1)
    return torch.where(value > 0, pictures * raised / value.clamp(min=1e-9), raised)


CORRUPTIONS = (
    Corruption("gaussian-noise", (0.08, 0.12, 0.18, 0.26, 0.38), _gaussian_noise),
    Corruption("impulse-noise", (0.03, 0.06, 0.09, 0.17, 0.27), _impulse_noise),
    Corruption("gaussian-blur", (1.0, 2.0, 3.0, 4.0, 6.0), _gaussian_blur),
    Corruption("pixelate", (0.6, 0.5, 0.4, 0.3, 0.25), _pixelate),
    Corruption("contrast", (0.4, 0.3, 0.2, 0.1, 0.05), _contrast),
    Corruption("brightness", (0.1, 0.2, 0.3, 0.4, 0.5), _brightness),
)
