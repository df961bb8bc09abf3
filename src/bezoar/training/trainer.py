"""The trainer: pairs and a model in, a trained model and its log out.

* Batches, captions and augmentation are keyed by seed and epoch, so a step depends on nothing but its number:
  a run that was interrupted goes on from its checkpoint and ends with the same weights, bit for bit on a CPU
  with the same number of threads.
* A frozen tower (`Settings.learn`) is kept in checkpoints, too, and comes out bit for bit as it went in.
* Pictures are decoded once, unique captions encoded once a batch, the vocabulary is cut while training lasts.
"""

from __future__ import annotations

import io
import json
import logging
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from bezoar.models import Towers
from bezoar.pairs.decoded import Decoded
from bezoar.run import BROKEN_DATA, BezoarError, Progress, fingerprint, random, write_bytes
from bezoar.training.augmentation import AUGMENTATIONS
from bezoar.training.captions import CaptionTable, tokenize_captions
from bezoar.training.freezing import only
from bezoar.training.losses import clip_loss
from bezoar.training.settings import Settings
from bezoar.training.vocabulary import cut_vocabulary

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
CHECKPOINT_SECONDS = 10.0


@dataclass(frozen=True)
class Batch:
    """What one step sees: pairs (positions) and, for each, a row of the caption table."""

    step: int
    epoch: int
    positions: NDArray[np.int64]
    captions: NDArray[np.int64]


def fit(
    towers: Towers,
    decoded: Decoded,
    settings: Settings,
    folder: Path,
    *,
    device: str = "cpu",
    progress: Progress,
    name: str = "train",
) -> None:
    """Train `towers` in place with plain CLIP on the usable pairs of `decoded`.

    Writes `log.jsonl` (a line a step) into `folder`, and a checkpoint from which the same call goes on; the
    checkpoint leaves when training is done. Raises `BezoarError` for fewer pairs than a batch and for a loss
    that is not finite (the last checkpoint then stays). With several devices every process but the first ends here.
    """
    table = tokenize_captions(decoded.pairs, towers)
    usable = decoded.usable()
    usable = usable[np.diff(table.starts)[usable] > 0]
    steps = steps_of(len(usable), settings)
    identity = fingerprint(decoded.pairs.fingerprint, settings, towers.config, len(usable))
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces the precision on stderr
    fabric = Fabric(accelerator=device, devices=settings.devices, precision=cast(Any, settings.precision))
    fabric.launch()
    speaks = fabric.global_rank == 0
    towers.module.train()
    # The vocabulary is cut first: the embedding that trains, or is frozen, is the small one.
    with (
        cut_vocabulary(towers.module, table.tokens) as tokens,
        only(settings.learn, towers.module),
        sdpa_kernel(_attention(device)),
    ):
        loop = _Loop(fabric, towers, decoded, tokens, settings, steps)
        first = loop.resume(folder, identity)
        fabric.barrier()
        if speaks:
            _cut_log(folder / LOG, first)
        seen = first * settings.batch
        with progress.bar(name, steps * settings.batch, done=seen) as bar, _log(folder / LOG, speaks) as log:
            for batch in _batches(usable, table, settings, first):
                started = time.perf_counter()
                loss = loop.step(batch)
                if not math.isfinite(loss):
                    raise BezoarError(
                        f"The loss is {loss} at step {batch.step}.",
                        "Lower --learning-rate or use --precision 32-true; the last checkpoint is kept.",
                        BROKEN_DATA,
                    )
                line = loop.line(batch, loss, time.perf_counter() - started)
                log.write(json.dumps(line) + "\n")
                if time.monotonic() - loop.kept_at > CHECKPOINT_SECONDS:
                    log.flush()
                    loop.keep(folder, identity, batch.step + 1)
                bar.advance(settings.batch)
                bar.note(f"epoch {batch.epoch + 1} of {settings.epochs}, loss {loss:.2f}")
    towers.module.to(device).eval()
    fabric.barrier()
    if not speaks:
        raise SystemExit(0)  # the first process saves the model and answers
    (folder / CHECKPOINT).unlink(missing_ok=True)


def steps_of(pairs: int, settings: Settings) -> int:
    """Return how many steps `fit` takes on so many usable pairs: whole batches only."""
    if pairs < settings.batch:
        raise BezoarError(
            f"{pairs} usable pairs are fewer than a batch of {settings.batch}.", "Add pairs or lower --batch."
        )
    return pairs // settings.batch * settings.epochs


class _Loop:
    """Model, optimiser and counters between the steps of one training."""

    def __init__(
        self, fabric: Fabric, towers: Towers, decoded: Decoded, tokens: Tensor, settings: Settings, steps: int
    ) -> None:
        self.settings, self.steps = settings, steps
        self.towers, self.decoded, self.tokens = towers, decoded, tokens
        self.fabric = fabric
        optimiser = torch.optim.AdamW(
            _groups(towers.module, settings.weight_decay),
            lr=settings.learning_rate,
            betas=settings.betas,
            eps=settings.eps,
            fused=True,
        )
        self.module, self.optimiser = fabric.setup(towers.module, optimiser)
        self.kept_at = time.monotonic()

    def step(self, batch: Batch) -> float:
        """Do one step; returns the mean loss."""
        settings, device = self.settings, self.fabric.device
        rate = settings.rate(batch.step, self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        share = slice(self.fabric.global_rank, None, self.fabric.world_size)
        pixels = torch.from_numpy(self.decoded.batch(batch.positions[share])).to(device)
        draw = random(settings.seed, "augmentation", batch.step, self.fabric.global_rank)
        pixels = AUGMENTATIONS[settings.augmentation](pixels, draw)
        captions, owner = np.unique(batch.captions[share], return_inverse=True)
        tokens = self.tokens[torch.from_numpy(captions)].to(device)
        images, texts, scale = self.module(self.towers.preprocess(pixels), tokens)[:3]
        texts = texts[torch.from_numpy(owner).to(device)]
        if self.fabric.world_size > 1:
            images = cast(Tensor, self.fabric.all_gather(images, sync_grads=True)).flatten(0, 1)
            texts = cast(Tensor, self.fabric.all_gather(texts, sync_grads=True)).flatten(0, 1)
        loss = clip_loss(images.float(), texts.float(), scale.float()).mean()
        self.optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if settings.clip_gradients is not None:
            self.fabric.clip_gradients(self.module, self.optimiser, max_norm=settings.clip_gradients)
        self.optimiser.step()
        with torch.no_grad():
            cast(Tensor, self.towers.module.logit_scale).clamp_(0.0, math.log(settings.largest_scale))
        return float(loss.detach())

    def line(self, batch: Batch, loss: float, seconds: float) -> dict[str, Any]:
        """Return the log line of a step."""
        return {
            "phase": "clip",
            "epoch": batch.epoch,
            "step": batch.step,
            "loss": round(loss, 6),
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "pairs_per_s": round(len(batch.positions) / seconds, 1),
        }

    def resume(self, folder: Path, identity: str) -> int:
        """Take up the checkpoint of this very training, if there is one; returns the step to go on with."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / CHECKPOINT
        if not path.is_file():
            return 0
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["identity"] != identity:
            return 0
        self.module.load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])
        return int(state["step"])

    def keep(self, folder: Path, identity: str, step: int) -> None:
        """Write a checkpoint: `step` steps are done."""
        if self.fabric.global_rank == 0:
            buffer = io.BytesIO()
            state = {"module": self.module.state_dict(), "optimiser": self.optimiser.state_dict()}
            torch.save({"identity": identity, "step": step, **state}, buffer)
            write_bytes(folder / CHECKPOINT, buffer.getvalue())
        self.kept_at = time.monotonic()


def _batches(usable: NDArray[np.int64], table: CaptionTable, settings: Settings, first: int) -> Iterator[Batch]:
    per_epoch = len(usable) // settings.batch
    for epoch in range(first // per_epoch, settings.epochs):
        order = usable[random(settings.seed, "order", epoch).permutation(len(usable))]
        captions = table.pick(settings.seed, epoch)
        for place in range(per_epoch):
            step = epoch * per_epoch + place
            if step >= first:
                positions = order[place * settings.batch : (place + 1) * settings.batch]
                yield Batch(step, epoch, positions, captions[positions])


def _groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    # Gains, biases and the logit scale are not decayed: shrinking them is no regularisation.
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]


def _attention(device: str) -> list[SDPBackend]:
    # Flash attention's backward on a CPU took half of the text step for captions of sixteen tokens.
    every = [SDPBackend.MATH, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.FLASH_ATTENTION]
    return [SDPBackend.MATH] if device == "cpu" else every


def _log(path: Path, speaks: bool) -> TextIO:
    return path.open("a") if speaks else Path(os.devnull).open("w")


def _cut_log(path: Path, steps: int) -> None:
    """Keep the first `steps` lines: what came after the checkpoint is done again."""
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    write_bytes(path, b"".join(lines[:steps]))
