"""What recipes cost beside plain training: an epoch of each in CPU seconds, its random looks made beforehand.

Made beforehand, a look is a row of an array, so what remains is the recipe's arithmetic: SafeCLIP shows every pair
twice and scores all of them, RoCLIP looks through a bank, CleanCLIP shows every pair twice. What making the looks
adds is a row of its own.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from bezoar.models import create
from bezoar.pairs import open_pairs
from bezoar.pairs.decoded import Decoded
from bezoar.pairs.synthetic import synthesize
from bezoar.run import Silent
from bezoar.training.looks import Batch, Looks
from bezoar.training.recipe import BASE, Recipe
from bezoar.training.recipes import RECIPES
from bezoar.training.settings import Settings
from bezoar.training.trainer import LOG, fit

from .measure import Benchmark, Result, cpu_seconds

_PAIRS, _SIDE, _RUNS = 1600, 40, 3
# The first epoch fills banks and caches and is not counted; RoCLIP needs an even number after it.
_SETTINGS = Settings(epochs=3, views="frozen")
_MAKE_PICTURES, _MAKE_CAPTIONS = Looks._picture, Looks._captions


class _Clock(Silent):
    """A progress that notes when each step was done."""

    def __init__(self) -> None:
        self.times: list[float] = []

    @contextmanager
    def bar(self, *_: object, **__: object) -> Iterator[_Clock]:  # type: ignore[override]
        """Yield itself."""
        yield self

    def advance(self, n: int = 1) -> None:
        """Note the time."""
        del n
        self.times.append(cpu_seconds())

    def note(self, text: str) -> None:
        """Ignore the text."""


@dataclass
class _Made:
    """Looks at every pair of the set, made when first asked for: by name, and place among a pass's looks."""

    pictures: dict[tuple[str, int], Tensor] = field(default_factory=dict)
    captions: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    def picture(self, looks: Looks, name: str, pixels: Tensor, batch: Batch, place: int) -> Tensor:
        """Stand in for the look at a batch of pictures."""
        if name == BASE:
            return pixels
        if (name, place) not in self.pictures:
            everything = _everything(looks)
            whole = torch.from_numpy(looks.decoded.batch(everything.positions))
            self.pictures[name, place] = _MAKE_PICTURES(looks, name, whole, everything, place)
        return self.pictures[name, place][torch.from_numpy(batch.positions)]

    def caption(self, looks: Looks, name: str, batch: Batch, place: int) -> list[str]:
        """Stand in for the look at a batch of captions."""
        if (name, place) not in self.captions:
            self.captions[name, place] = _MAKE_CAPTIONS(looks, name, _everything(looks), place)
        texts = self.captions[name, place]
        return [texts[position] for position in batch.positions]


@dataclass
class _Timed:
    """The looks as training makes them, and the seconds that each one took."""

    seconds: list[float] = field(default_factory=list)

    def picture(self, *arguments: object) -> Tensor:
        """Make pictures and count."""
        begun = cpu_seconds()
        made = _MAKE_PICTURES(*arguments)  # type: ignore[arg-type]
        self.seconds.append(cpu_seconds() - begun)
        return made

    def caption(self, *arguments: object) -> list[str]:
        """Make captions and count."""
        begun = cpu_seconds()
        made = _MAKE_CAPTIONS(*arguments)  # type: ignore[arg-type]
        self.seconds.append(cpu_seconds() - begun)
        return made


def against_plain(name: str) -> Result:
    """Seconds of an epoch of a recipe's last phase, over those of plain training on the same pairs."""
    with _world() as decoded:
        made, ours, plain = _Made(), math.inf, math.inf
        for _ in range(_RUNS):
            plain = min(plain, _epoch(decoded, RECIPES["clip"], made))
            ours = min(ours, _epoch(decoded, _last_phase(RECIPES[name]), made))
    return Result(ours / plain, _details(epoch_seconds=round(ours, 3), plain_seconds=round(plain, 3), runs=_RUNS))


def looks() -> Result:
    """The share of an epoch that goes into making random looks: SafeCLIP's; the others in the details."""
    shares = {}
    with _world() as decoded:
        for name in ("safeclip", "roclip", "cleanclip"):
            timed = _Timed()
            epoch = _epoch(decoded, _last_phase(RECIPES[name]), timed)
            shares[name] = sum(timed.seconds) / _SETTINGS.epochs / epoch
    return Result(shares["safeclip"], _details(**{name: round(share, 3) for name, share in shares.items()}))


def _last_phase(recipe: Recipe) -> Recipe:
    """Return the recipe without what comes before its last phase."""
    return replace(recipe, phases=(replace(recipe.phases[-1], share=1.0),))


@contextmanager
def _world() -> Iterator[Decoded]:
    with tempfile.TemporaryDirectory() as folder:
        synthesize(folder, _PAIRS, seed=0, side=_SIDE)
        decoded = Decoded(open_pairs(folder), create("tiny-resnet", side=_SIDE).canvas)
        decoded.decode_all()
        yield decoded


def _epoch(decoded: Decoded, recipe: Recipe, source: _Made | _Timed) -> float:
    """Return the CPU seconds of an epoch, mean from the second on, the split before each included."""
    towers, clock = create("tiny-resnet", side=_SIDE), _Clock()
    # What stands in for a method is a plain function: as a method it is handed the looks first.
    standing_in = {
        "_picture": lambda looks, *rest: source.picture(looks, *rest),
        "_captions": lambda looks, *rest: source.caption(looks, *rest),
    }
    with tempfile.TemporaryDirectory() as folder, patch.multiple(Looks, **standing_in):
        fit(towers, decoded, _SETTINGS, Path(folder), recipe=recipe, progress=clock)
        lines = (Path(folder) / LOG).read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line)["epoch"] for line in lines]
    ends = dict(zip(epochs, clock.times, strict=True))
    # Two sides of a split leave out up to a batch more than one whole; every recipe is to pay for every pair.
    walks = sum(epoch > 0 for epoch in epochs) * _SETTINGS.batch / len(decoded)
    return (ends[_SETTINGS.epochs - 1] - ends[0]) / walks


def _everything(looks: Looks) -> Batch:
    return Batch(np.arange(len(looks.decoded)), looks.table.pick(looks.settings.seed, 0), 0)


def _details(**more: object) -> dict[str, object]:
    sizes = {"pairs": _PAIRS, "canvas": _SIDE, "batch": _SETTINGS.batch}
    return {**sizes, **more, "threads": torch.get_num_threads()}


ROWS = (
    Benchmark("safeclip-against-plain", "at most", 2.4, partial(against_plain, "safeclip")),
    Benchmark("roclip-against-plain", "at most", 1.2, partial(against_plain, "roclip")),
    Benchmark("cleanclip-against-plain", "at most", 2.2, partial(against_plain, "cleanclip")),
    # No goal: the row is there to be read.
    Benchmark("looks-in-an-epoch", "at most", None, looks),
)
