"""Training and embedding through bezoar against the same model on tensors that lie in memory; the cost of views."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from bezoar.embeddings import embed_pairs, encode_pictures
from bezoar.embeddings.encode import BATCH
from bezoar.models import Towers, create
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.decoded import Decoded
from bezoar.pairs.synthetic import synthesize
from bezoar.run import Silent
from bezoar.training.captions import tokenize_captions
from bezoar.training.losses import clip_loss
from bezoar.training.settings import Settings
from bezoar.training.trainer import fit
from bezoar.training.vocabulary import cut_vocabulary
from bezoar.views import VIEWS

from .measure import Benchmark, Result

_PAIRS, _SIDE, _RUNS = 3200, 40, 5
_SETTINGS = Settings(epochs=3)


class _Clock(Silent):
    """A progress that notes when each step was done."""

    def __init__(self) -> None:
        self.times = [time.perf_counter()]

    @contextmanager
    def bar(self, *_: object, **__: object) -> Iterator[_Clock]:  # type: ignore[override]
        """Yield itself."""
        yield self

    def advance(self, n: int = 1) -> None:
        """Note the time."""
        if n:
            self.times.append(time.perf_counter())

    def note(self, text: str) -> None:
        """Ignore the text."""


def training() -> Result:
    """Pairs a second of the trainer from its second epoch on, over those of a bare loop on tensors."""
    with _world() as pairs:
        per_epoch = _PAIRS // _SETTINGS.batch
        ours, first, bare = np.inf, np.inf, np.inf
        for _ in range(_RUNS):
            times = _fit(pairs)
            first = min(first, times[per_epoch] - times[0])
            ours = min(ours, (times[-1] - times[per_epoch]) / (_SETTINGS.epochs - 1))
            bare = min(bare, _bare_epoch(pairs))
    return Result(bare / ours, _details(ours, bare) | {"first_epoch_pairs_per_s": round(_PAIRS / first, 1)})


def embedding() -> Result:
    """Pairs a second of embedding, pictures decoded before, over those of bare forward passes on tensors."""
    with _world() as pairs, torch.inference_mode():
        towers = create("tiny-resnet", side=_SIDE)
        decoded = Decoded(pairs, towers.canvas)
        first = _embed(decoded, towers)
        pixels = torch.from_numpy(decoded.batch(range(_PAIRS)))
        tokens = towers.tokenize(list(dict.fromkeys(own[0] for own in pairs.captions)))
        ours, bare = np.inf, np.inf
        for _ in range(_RUNS):
            ours = min(ours, _embed(decoded, towers))
            started = time.perf_counter()
            for chunk in pixels.split(BATCH):
                towers.encode_image(towers.preprocess(chunk))
            for chunk in tokens.split(BATCH):
                towers.encode_text(chunk)
            bare = min(bare, time.perf_counter() - started)
    return Result(bare / ours, _details(ours, bare) | {"first_pass_pairs_per_s": round(_PAIRS / first, 1)})


def views() -> Result:
    """Seconds of a picture with all its views, over those of one forward pass."""
    towers = create("tiny-resnet", side=_SIDE)
    pixels = np.random.default_rng(0).integers(0, 256, (1024, 3, _SIDE, _SIDE), dtype=np.uint8)
    one, all_views = np.inf, np.inf
    for _ in range(_RUNS):
        for looks in ((), VIEWS):
            started = time.perf_counter()
            encode_pictures(towers, pixels, looks=looks)
            seconds = time.perf_counter() - started
            one, all_views = (min(one, seconds), all_views) if not looks else (one, min(all_views, seconds))
    details = {"views": len(VIEWS), "pictures": len(pixels), "seconds_one": round(one, 4)}
    return Result(all_views / one, details | {"seconds_views": round(all_views, 4), **_machine()})


@contextmanager
def _world() -> Iterator[Pairs]:
    with tempfile.TemporaryDirectory() as folder:
        synthesize(folder, _PAIRS, seed=0, side=_SIDE)
        yield open_pairs(folder)


def _fit(pairs: Pairs) -> list[float]:
    towers, clock = create("tiny-resnet", side=_SIDE), _Clock()
    with tempfile.TemporaryDirectory() as folder:
        fit(towers, Decoded(pairs, towers.canvas), _SETTINGS, Path(folder), progress=clock)
    return clock.times


def _bare_epoch(pairs: Pairs) -> float:
    """One epoch of the same model, loss and optimiser, with pictures, tokens and order made before."""
    towers = create("tiny-resnet", side=_SIDE)
    pixels = torch.from_numpy(Decoded(pairs, towers.canvas).batch(range(_PAIRS)))
    table = tokenize_captions(pairs, towers)
    order = torch.from_numpy(np.random.default_rng(0).permutation(_PAIRS))
    batches = []
    with cut_vocabulary(towers.module, table.tokens) as vocabulary, sdpa_kernel([SDPBackend.MATH]):
        tokens = vocabulary.renumber(table.tokens)
        for positions in order.split(_SETTINGS.batch):
            captions, owner = np.unique(table.owned[positions.numpy()], return_inverse=True)
            batches.append((pixels[positions], tokens[torch.from_numpy(captions)], torch.from_numpy(owner)))
        towers.module.train()
        optimiser = torch.optim.AdamW(towers.module.parameters(), lr=1e-4, fused=True)
        step = partial(_bare_step, towers, optimiser)
        step(*batches[0])
        started = time.perf_counter()
        for batch in batches:
            step(*batch)
        return time.perf_counter() - started


def _bare_step(
    towers: Towers,
    optimiser: torch.optim.Optimizer,
    pixels: torch.Tensor,
    tokens: torch.Tensor,
    owner: torch.Tensor,
) -> None:
    images = towers.preprocess(pixels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        vectors, texts, scale = towers.module(images, tokens)
    loss = clip_loss(vectors.float(), texts.float()[owner], scale).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def _embed(decoded: Decoded, towers: Towers) -> float:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        embed_pairs(decoded, towers, Path(folder), model="benchmark", progress=Silent())
        return time.perf_counter() - started


def _details(ours: float, bare: float) -> dict[str, object]:
    return {
        "pairs": _PAIRS,
        "canvas": _SIDE,
        "pairs_per_s": round(_PAIRS / ours, 1),
        "bare_pairs_per_s": round(_PAIRS / bare, 1),
        "runs": _RUNS,
        **_machine(),
    }


def _machine() -> dict[str, object]:
    return {"threads": torch.get_num_threads()}


ROWS = (
    Benchmark("training-against-tensors", "at least", 0.95, training),
    Benchmark("embedding-against-tensors", "at least", 0.95, embedding),
    Benchmark("views-in-forward-passes", "at most", 20.0, views),
)
