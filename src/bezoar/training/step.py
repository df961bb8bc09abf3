"""One step: show, encode, gather, weigh the losses, learn."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from bezoar.training.looks import Batch, Looks
from bezoar.training.losses import TERMS, Seen
from bezoar.training.recipe import Pass, Recipe
from bezoar.training.state import State

_NEED_BEFORE = ("image-distance", "text-distance")
_BESIDE = Pass("beside", ())


@dataclass(frozen=True)
class Share:
    """What one process encodes at once: pairs, and distrusted ones that joined."""

    batch: Batch
    beside: Batch | None


@dataclass(frozen=True)
class Vectors:
    """Unit vectors of a share: by look at the pictures and at the captions; of the rows beside; the head's logits."""

    images: tuple[Tensor, ...]
    texts: tuple[Tensor, ...]
    beside: tuple[Tensor, ...] = ()
    logits: tuple[Tensor, ...] = ()

    def flat(self) -> list[Tensor]:
        """Return all of them in one order."""
        return [*self.images, *self.texts, *self.beside, *self.logits]

    def filled(self, flat: list[Tensor]) -> Vectors:
        """Return the same with other tensors, in the order of `flat`."""
        rest = iter(flat)
        kinds = (self.images, self.texts, self.beside, self.logits)
        return Vectors(*(tuple(next(rest) for _ in kind) for kind in kinds))


class Stepper:
    """Does the steps of one training."""

    def __init__(self, fabric: Fabric, looks: Looks, recipe: Recipe, state: State) -> None:
        self.fabric, self.looks, self.recipe, self.state = fabric, looks, recipe, state
        self.settings = looks.settings
        # The model as it was when training began, whatever a checkpoint puts in its place later.
        frozen = any(recipe.uses(term) for term in _NEED_BEFORE)
        self.before = copy.deepcopy(state.both).eval().requires_grad_(False) if frozen else None

    def step(self, walk: Pass, batch: Batch, beside: Batch | None, rate: float) -> dict[str, float]:
        """Do one step at a learning rate; returns the weighted sum of the losses as "loss", and each one's mean."""
        state, settings = self.state, self.settings
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        state.optimiser.zero_grad(set_to_none=True)
        shares = self._shares(batch, beside)
        if len(shares) == 1:
            vectors, scale = self._encode(walk, shares[0])
            loss, means = self._loss(walk, batch, shares, vectors, scale)
            self.fabric.backward(loss)
        else:
            means = self._in_parts(walk, batch, shares)
        if settings.clip_gradients is not None:
            self.fabric.clip_gradients(state.module, state.optimiser, max_norm=settings.clip_gradients)
        state.optimiser.step()
        with torch.no_grad():
            cast(Tensor, self.looks.towers.module.logit_scale).clamp_(0.0, math.log(settings.largest_scale))
        return means

    def _in_parts(self, walk: Pass, batch: Batch, shares: list[Share]) -> dict[str, float]:
        """Learn from a batch in parts with the gradient of the whole (the gradient cache of Gao et al. 2021).

        All parts are encoded without gradients first; what the loss asks of their vectors is then carried back
        through each part, encoded once more.
        """
        with torch.no_grad():
            encoded = [self._encode(walk, share) for share in shares]
        parts = [vectors.flat() for vectors, _ in encoded]
        leaves = [torch.cat(rows).requires_grad_() for rows in zip(*parts, strict=True)]
        scale = encoded[0][1].detach().requires_grad_()
        loss, means = self._loss(walk, batch, shares, encoded[0][0].filled(leaves), scale)
        *asked, of_scale = torch.autograd.grad(loss, [*leaves, scale], allow_unused=True)
        # What the loss does not ask about gets no gradient, as in one piece: one of zeros would let momentum move it.
        pieces = {
            place: gradient.split([len(part[place]) for part in parts])
            for place, gradient in enumerate(asked)
            if gradient is not None
        }
        for number, share in enumerate(shares):
            last = number == len(shares) - 1
            with self.fabric.no_backward_sync(self.state.module, enabled=not last):
                vectors, again = self._encode(walk, share)
                flat = vectors.flat()
                carried = torch.stack([(piece[number] * flat[place]).sum() for place, piece in pieces.items()]).sum()
                if last and of_scale is not None:
                    carried = carried + of_scale * again
                self.fabric.backward(carried)
        return means

    def _shares(self, batch: Batch, beside: Batch | None) -> list[Share]:
        """Return what this process encodes of a step, in as many parts as the settings ask for."""
        parts = self.settings.accumulate
        own = self._own(batch)
        joined = None if beside is None else self._own(beside)
        cut = [_cut(own, parts), [None] * parts if joined is None else _cut(joined, parts)]
        return [Share(cast(Batch, first), second) for first, second in zip(*cut, strict=True)]

    def _own(self, batch: Batch) -> Batch:
        share = slice(self.fabric.global_rank, None, self.fabric.world_size)
        return Batch(batch.positions[share], batch.captions[share], batch.epoch)

    def _encode(self, walk: Pass, share: Share) -> tuple[Vectors, Tensor]:
        return self._through(self.state.module, walk, share)

    def _through(self, module: torch.nn.Module, walk: Pass, share: Share) -> tuple[Vectors, Tensor]:
        """Return the vectors of a share by `module`, and the scale."""
        device = self.fabric.device
        shown = [self.looks.show(walk, share.batch)]
        if share.beside is not None:
            shown.append(self.looks.show(_BESIDE, share.beside))
        pixels = torch.cat([one.pixels for one in shown]).to(device)
        tokens = torch.cat([one.tokens for one in shown]).to(device)
        images, texts, scale, logits = module(self.looks.towers.preprocess(pixels), tokens)
        images, texts = images.float(), texts.float()
        if logits is not None:
            return Vectors((images,), (), logits=(logits.float(),)), scale.float()
        rows = images.split([len(one.pixels) for one in shown])
        known = texts.split([len(one.tokens) for one in shown])
        by_look, of_captions = shown[0].parts(rows[0], known[0])
        beside: tuple[Tensor, ...] = ()
        if len(shown) == 2:
            (joined,), (captions,) = shown[1].parts(rows[1], known[1])
            beside = (joined, captions)
        return Vectors(by_look, of_captions, beside), scale.float()

    def _loss(
        self, walk: Pass, batch: Batch, shares: list[Share], vectors: Vectors, scale: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss over the vectors of all processes, and the mean of each term."""
        gathered = self._gathered(vectors)
        seen = Seen(
            images=gathered.images,
            texts=gathered.texts,
            scale=scale.detach() if self.recipe.fixed_temperature else scale,
            owners=torch.from_numpy(batch.positions).to(scale.device),
            same=self._same(batch) if self.settings.mask_equal else None,
            before=self._before(walk, shares),
            beside=cast(tuple[Tensor, Tensor], gathered.beside) if gathered.beside else None,
            logits=gathered.logits[0] if gathered.logits else None,
            labels=self._labels(batch),
            banks=self.state.banks,
            threshold=self.settings.threshold,
            margin=self.settings.margin,
        )
        terms = {name: TERMS[name](seen).mean() for _, name in walk.terms}
        loss = torch.stack([weight * terms[name] for weight, name in walk.terms]).sum()
        for modality, bank in self.state.banks.items():
            first = (seen.images if modality == "image" else seen.texts)[0]
            bank.push(first.detach(), seen.owners)
        return loss, {"loss": float(loss.detach()), **{name: float(value.detach()) for name, value in terms.items()}}

    def _gathered(self, vectors: Vectors) -> Vectors:
        """Return the vectors of all processes in the order of the batch, with gradients."""
        if self.fabric.world_size == 1:
            return vectors
        flat = [cast(Tensor, self.fabric.all_gather(rows, sync_grads=True)) for rows in vectors.flat()]
        return vectors.filled([rows.transpose(0, 1).flatten(0, 1) for rows in flat])

    def _before(self, walk: Pass, shares: list[Share]) -> tuple[Tensor, Tensor] | None:
        if self.before is None or not any(name in _NEED_BEFORE for _, name in walk.terms):
            return None
        with torch.no_grad(), self.fabric.autocast():
            parts = [self._through(self.before, walk, share)[0] for share in shares]
        images = torch.cat([part.images[0] for part in parts])
        texts = torch.cat([part.texts[0] for part in parts])
        gathered = self._gathered(Vectors((images,), (texts,)))
        return gathered.images[0], gathered.texts[0]

    def _same(self, batch: Batch) -> Tensor:
        captions = torch.from_numpy(batch.captions).to(self.fabric.device)
        return (captions[:, None] == captions).fill_diagonal_(False)

    def _labels(self, batch: Batch) -> Tensor | None:
        labels = self.state.labels
        return None if labels is None else torch.from_numpy(labels[batch.positions]).to(self.fabric.device)


def _cut(batch: Batch, parts: int) -> list[Batch]:
    positions, captions = np.array_split(batch.positions, parts), np.array_split(batch.captions, parts)
    return [Batch(rows, own, batch.epoch) for rows, own in zip(positions, captions, strict=True)]
