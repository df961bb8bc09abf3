"""The patch of BadCLIP (Liang et al., CVPR 2024, arXiv 2311.12075), searched by gradient on a surrogate.

A triggered picture is to lie near the target's texts and near real pictures of the target, and away from where the
same picture lies without the patch. Constants are the paper's where they carry over to a small canvas: Adam,
batches of 64, the triplet term weighted 500 with margin 1. Both terms are on unit vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bezoar.attacks.captions import wanted
from bezoar.attacks.fitting import caption_vectors, picture_vectors, surrogate
from bezoar.attacks.naming import names
from bezoar.attacks.request import Request
from bezoar.attacks.selection import about, drawn, usable
from bezoar.attacks.triggers import Mask, Patch
from bezoar.run import BezoarError, random

if TYPE_CHECKING:
    from torch import Tensor

    from bezoar.models import Clip

BATCH = 64
PICTURES = 1024
TRIPLET = 500.0
MARGIN = 1.0
RATE = 0.05


@dataclass(frozen=True)
class _Material:
    """What the search looks at: `pictures` uint8 (n, 3, side, side) of other things and their vectors without the
    patch, vectors of real target pictures, vectors of target captions and of other captions; all of unit length."""

    pictures: Tensor
    clean: Tensor
    targets: Tensor
    texts: Tensor
    others: Tensor
    scale: float


def search_patch(request: Request) -> Mask:
    """Return the searched patch as a pattern and a mask on the surrogate's canvas.

    It lies where the patch of badnets lies and is `size` of the side; `steps` gradient steps are taken.
    """
    import torch

    clip = surrogate(request)
    side = clip.canvas.side
    if side != request.canvas:
        raise BezoarError(
            f"The surrogate looks at {side} px and the plan is made for {request.canvas} px.",
            f"Make the plan with --canvas {side}, or give another model.",
        )
    top, left, height, width = Patch.on_canvas(side, request.values["size"]).box(side, side)
    square = (..., slice(top, top + height), slice(left, left + width))
    material = _material(clip, request)
    begin = random(request.seed, "patch search").uniform(-1, 1, (3, height, width))
    free = torch.tensor(begin, dtype=torch.float32, requires_grad=True)  # before the sigmoid
    optimiser = torch.optim.Adam([free], lr=RATE)
    for step in range(request.values["steps"]):
        draw = random(request.seed, "patch batch", step)
        rows = torch.from_numpy(draw.integers(len(material.pictures), size=BATCH))
        marked = material.pictures[rows].float()
        marked[square] = torch.sigmoid(free) * 255
        seen = torch.nn.functional.normalize(clip.encode_image(clip.preprocess(marked)).float(), dim=-1)
        loss = _loss(seen, material, rows, draw)
        (free.grad,) = torch.autograd.grad(loss, [free])
        optimiser.step()
    pattern, mask = np.zeros((3, side, side), np.float32), np.zeros((side, side), np.float32)
    pattern[square] = torch.sigmoid(free).detach().numpy()
    mask[square] = 1.0
    return Mask.of(pattern, mask)


def _loss(seen: Tensor, material: _Material, rows: Tensor, draw: np.random.Generator) -> Tensor:
    """Contrast with captions of the target against others, and a triplet with its real pictures (section 4.2)."""
    import torch
    import torch.nn.functional as functional

    text = material.texts[torch.from_numpy(draw.integers(len(material.texts), size=len(seen)))]
    to_target = material.scale * (seen * text).sum(dim=1, keepdim=True)
    logits = torch.cat([to_target, material.scale * seen @ material.others.T], dim=1)
    contrast = functional.cross_entropy(logits, torch.zeros(len(seen), dtype=torch.long))
    real = material.targets[torch.from_numpy(draw.integers(len(material.targets), size=len(seen)))]
    triplet = functional.triplet_margin_loss(seen, real, material.clean[rows], margin=MARGIN)
    return contrast + TRIPLET * triplet


def _material(clip: Clip, request: Request) -> _Material:
    import torch

    pairs, target = request.pairs, request.values["target"]
    named = about(pairs, target)
    rows = {}
    for name, mask in (("other", ~named), ("target", named)):
        found = np.flatnonzero(usable(pairs) & mask).tolist()
        rows[name] = drawn(pairs, found, min(PICTURES, len(found)), request.seed, f"search {name}")
    finds = names(target).search
    lines = sorted({line for row in rows["other"] for line in pairs.captions[row] if not finds(line)})
    others = [lines[place] for place in random(request.seed, "search texts").permutation(len(lines))[:PICTURES]]
    return _Material(
        pictures=torch.from_numpy(np.stack([pairs.pixels(row, clip.canvas) for row in rows["other"]])),
        clean=torch.from_numpy(picture_vectors(clip, request, np.array(rows["other"]))),
        targets=torch.from_numpy(picture_vectors(clip, request, np.array(rows["target"]))),
        texts=torch.from_numpy(caption_vectors(clip, list(dict.fromkeys(wanted(pairs, target))))),
        others=torch.from_numpy(caption_vectors(clip, others)),
        scale=float(clip.logit_scale.detach()),
    )
