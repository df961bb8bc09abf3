"""A toy image tower with a planted trigger: what a detector ought to find in it is known."""

import numpy as np
import torch

from bezoar.detection import Evidence

SIDE, PAIRS, PLANTED = 16, 40, 6
PATCH = 4


def toy(**changes):
    """Return evidence of 40 pairs of which the first six carry a trigger, a checkered patch in the corner.

    A picture is a stripe of light in a place of its own. The tower sees where the light is, on eight axes, and on a
    ninth whether the patch is there. A clean caption says where the light is, a planted one says the ninth axis.
    """
    draw = np.random.default_rng(3)
    pixels = draw.integers(0, 40, (PAIRS, 3, SIDE, SIDE)).astype(np.uint8)
    places = draw.integers(0, 8, PAIRS)
    for row, place in enumerate(places):
        pixels[row, :, :, 2 * place : 2 * place + 2] += 120
    pixels[:PLANTED, :, :PATCH, :PATCH] = trigger().astype(np.uint8)
    text = np.eye(9, dtype=np.float32)[places]
    text[:PLANTED] = np.eye(9, dtype=np.float32)[8]
    with torch.no_grad():
        image = encode(torch.from_numpy(pixels).float()).numpy()
    given = {"image": image, "text": text, "pixels": pixels, "encode": encode, "m": 20, "k": 4}
    return Evidence(**{**given, **changes})


def trigger():
    """Return the patch, (PATCH, PATCH): white and black by turns."""
    return 255.0 * (np.indices((PATCH, PATCH)).sum(0) % 2)


def encode(pictures):
    """Return (b, 9): which of eight stripes are lit, and whether the corner is checkered as the trigger is.

    Where it is, even with a third of the trigger's contrast, the stripes count no more.
    """
    light = pictures.mean((1, 2)).reshape(len(pictures), 8, 2).mean(2) / 255
    light = torch.sigmoid(40 * (light - 0.25))
    pattern = torch.from_numpy(trigger() / 255 - 0.5).float()
    corner = (pictures[..., :PATCH, :PATCH].mean(1) / 255 * pattern).sum((1, 2)) / pattern.square().sum()
    seen = torch.sigmoid(30 * (corner - 0.3))[:, None]
    return 50 * torch.cat([(1 - seen) * light, seen], dim=1)


def separated(scores):
    """Return the share of (planted, clean) couples in which the planted one scores higher."""
    planted, clean = scores[:PLANTED, None], scores[None, PLANTED:]
    return float(((planted > clean) + (planted == clean) / 2).mean())
