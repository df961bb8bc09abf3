"""Training's random looks at pictures: a pure function of the pictures and of numbers drawn for each.

* Pictures are (B, 3, s, s) uint8 on the canvas, on any device; shape and dtype stay, the input is not written to.
* All chance is in the numbers, uniform in [0, 1): a row for each picture, and a picture's look depends on its row
  alone, so a part of a batch, or another order, gives the same looks.
* Sizes that papers give in pixels of 224 shrink with the side.
* Where a paper's transform takes one set of parameters, here each picture has its own.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bezoar.run import random
from bezoar.views import photometric

Numbers = NDArray[np.float32]

TRIES = 10
CROP = 2 * TRIES + 2
STRONG = CROP + 9
# What normalisation maps to 0: PAR erases after it, so its value 0 is CLIP's mean colour.
MEAN_COLOUR = (123, 117, 104)


@dataclass(frozen=True)
class PictureView:
    """A look: `numbers` says how many uniform numbers each picture needs."""

    name: str
    summary: str
    numbers: int
    function: Callable[[Tensor, Numbers], Tensor]

    def __call__(self, pixels: Tensor, draws: Numbers) -> Tensor:
        """Return this look at pixels (B, 3, s, s) uint8 by draws (B, numbers) in [0, 1): same shape, uint8.

        Raises `ValueError` for draws of another shape.
        """
        if draws.shape != (len(pixels), self.numbers):
            wanted = (len(pixels), self.numbers)
            raise ValueError(f"the view {self.name!r} takes draws of shape {wanted}, got {draws.shape}")
        return self.function(pixels, draws) if len(pixels) else pixels


def draws(view: PictureView, positions: NDArray[np.int64], *, seed: int, epoch: int, name: str | int) -> Numbers:
    """Return numbers (B, view.numbers), uniform in [0, 1), that depend on seed, epoch, name and each position alone.

    `positions` (B,) are the pairs of the batch. Two views of one epoch need two names to be independent.
    """
    key = random(seed, "view", name, epoch).integers(2**63, dtype=np.uint64)
    rows = _mixed(np.asarray(positions).astype(np.uint64) ^ key)
    columns = _mixed(np.arange(1, view.numbers + 1, dtype=np.uint64))
    bits = _mixed(rows[:, None] + columns[None, :])
    return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Splitmix64 (Steele, Lea & Flood 2014): neighbouring states give unrelated numbers."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def none(pixels: Tensor, numbers: Numbers) -> Tensor:
    """Leave the pictures as they are."""
    del numbers
    return pixels


def shift(pixels: Tensor, numbers: Numbers) -> Tensor:
    """Shift each picture by up to a sixteenth of the side each way; borders repeat."""
    return _moved(pixels, numbers, mirrored=np.zeros(len(numbers), bool))


def mirror_shift(pixels: Tensor, numbers: Numbers) -> Tensor:
    """Mirror each picture with probability one half, then `shift` it."""
    return _moved(pixels, numbers[:, 1:], mirrored=numbers[:, 0] < 0.5)


def _moved(pixels: Tensor, numbers: Numbers, mirrored: NDArray[np.bool_]) -> Tensor:
    side = pixels.shape[-1]
    reach = max(1, side // 16)
    steps = _whole(numbers, 2 * reach + 1) - reach
    places = np.clip(np.arange(side) + steps[:, :, None], 0, side - 1)
    rows, columns = places[:, 0], np.where(mirrored[:, None], side - 1 - places[:, 1], places[:, 1])
    down = torch.from_numpy(rows)[:, None, :, None].to(pixels.device).expand(pixels.shape)
    across = torch.from_numpy(columns)[:, None, None, :].to(pixels.device).expand(pixels.shape)
    return pixels.gather(2, down).gather(3, across)


def boxes(numbers: Numbers, side: int, scale: tuple[float, float]) -> NDArray[np.int64]:
    """Return crops (B, 4): top, left, height, width in whole pixels, drawn as RandomResizedCrop draws them.

    Of ten tries, an area of a share in `scale` and a ratio in 3/4 to 4/3 (log-uniform), the first that fits is
    taken; if none does, the whole picture.
    """
    shares = scale[0] + (scale[1] - scale[0]) * numbers[:, :TRIES].astype(np.float64)
    ratios = np.exp(math.log(4 / 3) * (2 * numbers[:, TRIES : 2 * TRIES].astype(np.float64) - 1))
    widths = np.rint(side * np.sqrt(shares * ratios)).astype(np.int64)
    heights = np.rint(side * np.sqrt(shares / ratios)).astype(np.int64)
    fits = (widths > 0) & (widths <= side) & (heights > 0) & (heights <= side)
    first, every = fits.argmax(1), np.arange(len(numbers))
    some = fits.any(1)
    height = np.where(some, heights[every, first], side)
    width = np.where(some, widths[every, first], side)
    top, left = _whole(numbers[:, 2 * TRIES], side - height + 1), _whole(numbers[:, 2 * TRIES + 1], side - width + 1)
    return np.stack([top, left, height, width], axis=1)


def resized_crops(pictures: Tensor, crops: NDArray[np.int64], mirrored: NDArray[np.bool_]) -> Tensor:
    """Return each crop (top, left, height, width) of float pictures at full size (bilinear), mirrored where asked."""
    side = pictures.shape[-1]
    centres = (np.arange(side) + 0.5) / side
    down, across = (
        # Held within the crop: what lies beyond its border must not be seen.
        start[:, None] + np.clip(centres * length[:, None] - 0.5, 0, length[:, None] - 1)
        for start, length in ((crops[:, 0], crops[:, 2]), (crops[:, 1], crops[:, 3]))
    )
    across = np.where(mirrored[:, None], across[:, ::-1], across)
    places = (torch.from_numpy(((2 * axis + 1) / side - 1).astype(np.float32)) for axis in (across, down))
    x, y = (axis.to(pictures.device) for axis in places)
    shape = (len(pictures), side, side)
    grid = torch.stack([x[:, None, :].expand(shape), y[:, :, None].expand(shape)], dim=-1)
    return torch.nn.functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def crop(pixels: Tensor, numbers: Numbers) -> Tensor:
    """Crop nine tenths of the picture or more and resize (training in Huang et al. 2025, and in Yang et al. 2023).

    Bilinear, where their code has bicubic.
    """
    whole = np.zeros(len(numbers), bool)
    return _whole_levels(resized_crops(_floats(pixels), boxes(numbers, pixels.shape[-1], (0.9, 1.0)), whole))


def strong(pixels: Tensor, numbers: Numbers, scale: tuple[float, float] = (0.08, 1.0)) -> Tensor:
    """Mirror, crop, change colours, gray, blur: RoCLIP's and SafeCLIP's second look (Yang et al. 2023, 2024).

    Mirror p=0.5; RandomResizedCrop of `scale`; ColorJitter(0.5, 0.5, 0.5, 0.1) p=0.8 in random order; gray p=0.2;
    Gaussian blur always, 21 pixels of 224 wide and sigma 0.1 to 2 pixels of 224.
    """
    side, device = pixels.shape[-1], pixels.device
    seen, rest = numbers[:, :CROP], numbers[:, CROP:]
    pictures = resized_crops(_floats(pixels), boxes(seen, side, scale), rest[:, 0] < 0.5)

    jittered = np.flatnonzero(rest[:, 1] < 0.8)
    if len(jittered):
        reach = np.array([0.5, 0.5, 0.5, 0.1], np.float32)
        factors = np.array([1, 1, 1, 0], np.float32) + reach * (2 * rest[jittered, 2:6] - 1)
        rows = torch.from_numpy(jittered).to(device)
        orders = _whole(rest[jittered, 6], len(photometric.ORDERS))
        pictures[rows] = photometric.jitter(pictures[rows], factors, orders)

    grays = torch.from_numpy(rest[:, 7] < 0.2).to(device).view(-1, 1, 1, 1)
    pictures = torch.where(grays, photometric.gray(pictures), pictures)
    sigmas = torch.from_numpy((0.1 + 1.9 * rest[:, 8]) * np.float32(side / 224)).to(device)
    return _whole_levels(photometric.blur(pictures, sigmas, blur_taps(side)))


def blur_taps(side: int) -> int:
    """Return the odd number of pixels, at least 3, nearest to 21 of 224."""
    return max(3, 2 * round((21 * side / 224 - 1) / 2) + 1)


def autoaugment(pixels: Tensor, numbers: Numbers) -> Tensor:
    """Change each picture by AutoAugment with ImageNet's policy (Cubuk et al. 2019), CleanCLIP's second look."""
    policy = _policy()
    changed = []
    # torchvision draws from torch's own generator: it is keyed for each picture, and given back as it was.
    with torch.random.fork_rng(devices=[]):
        for picture, key in zip(pixels, _whole(numbers[:, 0], 2**24), strict=True):
            torch.default_generator.manual_seed(int(key))
            changed.append(policy(picture))
    return torch.stack(changed)


@functools.cache
def _policy() -> Any:
    from torchvision.transforms import v2  # takes most of a second to import

    return v2.AutoAugment()


def noise_erase(pixels: Tensor, numbers: Numbers) -> Tensor:
    """Add noise, then erase a small square, each with probability one half (PAR, Singh et al. 2025).

    Gaussian noise of deviation 0.2 of the range, cut to the range; a square of 0.5 to 1 % of the area becomes CLIP's
    mean colour.
    """
    side, shape = pixels.shape[-1], tuple(pixels.shape[1:])
    noisy = np.flatnonzero(numbers[:, 0] < 0.5)
    changed = pixels.clone()
    if len(noisy):
        keys = _whole(numbers[noisy, 1], 2**24)
        noise = np.stack([random(int(key), "noise").standard_normal(shape, np.float32) for key in keys])
        rows = torch.from_numpy(noisy).to(pixels.device)
        noisier = _floats(pixels[rows]) + 0.2 * torch.from_numpy(noise).to(pixels.device)
        changed[rows] = _whole_levels(noisier)

    colour = torch.tensor(MEAN_COLOUR, dtype=torch.uint8, device=pixels.device).view(3, 1, 1)
    lengths = np.rint(side * np.sqrt(0.005 * (1 + numbers[:, 3]))).astype(np.int64)
    tops, lefts = _whole(numbers[:, 4], side - lengths + 1), _whole(numbers[:, 5], side - lengths + 1)
    for row in np.flatnonzero(numbers[:, 2] < 0.5):
        top, left, length = tops[row], lefts[row], lengths[row]
        changed[row, :, top : top + length, left : left + length] = colour
    return changed


def _whole(numbers: Numbers, above: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn numbers in [0, 1) into whole ones from 0 to below `above`."""
    return (numbers.astype(np.float64) * above).astype(np.int64)


def _floats(pixels: Tensor) -> Tensor:
    return pixels.float().div_(255)


def _whole_levels(pictures: Tensor) -> Tensor:
    return pictures.mul(255).round_().clamp_(0, 255).to(torch.uint8)


PICTURE_VIEWS: dict[str, PictureView] = {
    view.name: view
    for view in (
        PictureView("none", "the picture as it is", 0, none),
        PictureView("shift", "shifted by up to a sixteenth of the side", 2, shift),
        PictureView("mirror-shift", "half of them mirrored, then shifted", 3, mirror_shift),
        PictureView("crop", "a crop of nine tenths or more, resized", CROP, crop),
        PictureView("strong", "mirror, crop down to 8 %, colours, gray, blur", STRONG, strong),
        PictureView(
            "moderate",
            "as strong, with crops of half the picture or more: for small canvases",
            STRONG,
            functools.partial(strong, scale=(0.5, 1.0)),
        ),
        PictureView("autoaugment", "AutoAugment with ImageNet's policy", 1, autoaugment),
        PictureView("noise-erase", "half of them noisy, half with a small square erased", 6, noise_erase),
    )
}
