"""Where a training starts: an untrained model that fits the pairs, and how large a run the time allows."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from bezoar.models import Towers, create
from bezoar.run import BezoarError
from bezoar.training.losses import clip_loss
from bezoar.training.settings import Settings

CONTEXTS = (16, 32, 77)
LEAST_SIDE = 32
SMALL_ARCH = "tiny-resnet"
_TRIAL_SIDE = 40
_TRIAL_STEPS = 6


@dataclass(frozen=True)
class Rung:
    """One size of run: the canvas side in pixels and how many pairs training sees, repeats counted."""

    side: int
    samples: int


# Each rung costs about twice the one before. Fixed, so that a rung's number says all of it.
LADDER: tuple[Rung, ...] = (
    Rung(32, 30_000),
    Rung(32, 60_000),
    Rung(40, 100_000),
    Rung(48, 120_000),
    Rung(48, 240_000),
    Rung(48, 480_000),
    Rung(64, 480_000),
    Rung(64, 960_000),
    Rung(96, 960_000),
    Rung(96, 1_920_000),
    Rung(128, 1_920_000),
    Rung(128, 3_840_000),
)
LEAST_EPOCHS, MOST_EPOCHS = 4, 60


@dataclass(frozen=True)
class Choice:
    """What a scan trains: the canvas side, the settings, and the rung they come from."""

    side: int
    settings: Settings
    rung: int
    seconds: float


def choose_training(
    pairs: int, *, source_side: int, seconds: float, rung: int | None, settings: Settings, device: str
) -> Choice:
    """Choose the largest rung whose training fits `seconds`, or take `rung`; speed is measured on the spot.

    No canvas is larger than the pictures themselves (`source_side`, pixels).
    """
    speed = pairs_per_second(settings, device)
    number = pick_rung(seconds, speed, source_side=source_side) if rung is None else rung
    step = rung_at(number)
    side = max(LEAST_SIDE, min(step.side, source_side))
    epochs = epochs_of(step, pairs)
    expected = training_seconds(Rung(side, epochs * pairs), speed)
    return Choice(side, replace(settings, epochs=epochs), number, expected)


def rung_at(number: int) -> Rung:
    """Return a rung of the ladder; BezoarError for one that it does not have."""
    if not 0 <= number < len(LADDER):
        raise BezoarError(f"There is no rung {number}.", f"Choose one of 0 to {len(LADDER) - 1}.")
    return LADDER[number]


def new_towers(captions: Sequence[Sequence[str]], arch: str, *, side: int | None, seed: int) -> Towers:
    """Return an untrained `arch`; a small one gets a canvas of `side` and a text length that holds the captions."""
    if not arch.startswith("tiny"):
        return create(arch, side=side, seed=seed)
    probe = create(arch, side=side, context=CONTEXTS[-1], seed=seed)
    unique = list(dict.fromkeys(caption for own in captions for caption in own))
    longest = int((probe.tokenize(unique) != 0).sum(dim=1).max()) if unique else 0
    context = next((length for length in CONTEXTS if longest <= length), CONTEXTS[-1])
    return create(arch, side=side, context=context, seed=seed)


def pairs_per_second(settings: Settings, device: str) -> float:
    """Measure training speed of the small model at 40 px on noise, pairs a second; a fraction of a second long."""
    towers = create(SMALL_ARCH, side=_TRIAL_SIDE)
    module = copy.deepcopy(towers.module).to(device).train()
    with torch.random.fork_rng(devices=[]):  # a trial must not move anybody's random numbers
        # open_clip's whole vocabulary would be timed, too: training cuts it, so the trial does.
        module.token_embedding = torch.nn.Embedding(256, towers.config["text_cfg"]["width"]).to(device)
        pixels = torch.randint(0, 255, (settings.batch, 3, _TRIAL_SIDE, _TRIAL_SIDE), dtype=torch.uint8).to(device)
        tokens = torch.randint(0, 255, (settings.batch, 16)).to(device)
    optimiser = torch.optim.AdamW(module.parameters())
    seconds = []
    for _ in range(_TRIAL_STEPS):
        started = time.perf_counter()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=settings.precision.startswith("bf16")):
            images, texts, scale = module(towers.preprocess(pixels), tokens)[:3]
        optimiser.zero_grad()
        clip_loss(images.float(), texts.float(), scale).mean().backward()
        optimiser.step()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return settings.batch / float(np.median(seconds[1:]))


def training_seconds(rung: Rung, speed: float) -> float:
    """Estimate the seconds that a rung's training takes, from the speed at 40 px."""
    return rung.samples / speed * max(0.7, (rung.side / _TRIAL_SIDE) ** 2)


def pick_rung(seconds: float, speed: float, *, source_side: int) -> int:
    """Return the largest rung that trains within `seconds`; no canvas larger than the pictures themselves."""
    fitting = [
        number
        for number, rung in enumerate(LADDER)
        if training_seconds(Rung(min(rung.side, source_side), rung.samples), speed) <= seconds
    ]
    return fitting[-1] if fitting else 0


def epochs_of(rung: Rung, pairs: int) -> int:
    """Return the passes over `pairs` that a rung means."""
    return int(np.clip(round(rung.samples / max(1, pairs)), LEAST_EPOCHS, MOST_EPOCHS))
