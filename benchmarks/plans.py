"""Plans: what drawing triggers lazily costs in training, and what a poisoned copy costs beside a plain one."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from bezoar.attacks import Plan, plan_attack
from bezoar.attacks.planting import members_of
from bezoar.jobs.poison import poison
from bezoar.models import create
from bezoar.pairs import Pairs, open_pairs, write_webdataset
from bezoar.pairs.decoded import Decoded
from bezoar.pairs.synthetic import synthesize
from bezoar.run import Silent, random
from bezoar.training.settings import Settings
from bezoar.training.trainer import fit

from .measure import Benchmark, Result

_SIDE, _PAIRS = 40, 3200
_LAZY = "multi-trigger-single-target:target=moon,rate=0.05"
_SHARDS, _PER_SHARD, _PHOTO, _PHOTOS = 8, 2500, 224, 64
_WRITTEN = "badnets:target=dog,rate=0.003"
_RUNS = 5


def lazy() -> Result:
    """Pairs a second of training with a plan, nothing kept in memory between epochs, over those without one."""
    with tempfile.TemporaryDirectory() as folder:
        synthesize(folder, _PAIRS, seed=0, side=_SIDE)
        pairs = open_pairs(folder)
        plan = plan_attack(_LAZY, pairs, canvas=_SIDE)
        planted = pairs.with_plan(plan)
        _train(pairs)
        rounds = _in_turn(lambda: _train(pairs), lambda: _train(planted), runs=_RUNS)
    plain, drawn = (median(seconds) for seconds in zip(*rounds, strict=True))
    details = {"pairs": _PAIRS, "canvas": _SIDE, "attack": _LAZY, "planted": len(plan.planted), "runs": _RUNS}
    rates = {"pairs_per_s": round(_PAIRS / drawn, 1), "pairs_per_s_without": round(_PAIRS / plain, 1)}
    return Result(plain / drawn, details | rates | {"threads": torch.get_num_threads()})


def written() -> Result:
    """Seconds of a poisoned copy, the encoding of its poisons left out, over those of copying the same files."""
    with _photos() as folder:
        pairs = open_pairs(folder / "set")
        plan = plan_attack(_WRITTEN, pairs, canvas=_PHOTO)
        rounds = _in_turn(
            lambda: _copy(folder / "set", folder / "copy"),
            lambda: _poison(pairs, plan, folder / "poisoned"),
            lambda: _encode(pairs, plan),
            runs=_RUNS + 2,
        )
        size = sum(path.stat().st_size for path in (folder / "set").glob("*.tar"))
    copy, whole, encoding = (median(seconds) for seconds in zip(*rounds[2:], strict=True))
    seconds = {"copy": copy, "poison": whole, "encoding": encoding}
    details = {"megabytes": round(size / 1e6), "pairs": len(pairs), "attack": _WRITTEN, "planted": len(plan.planted)}
    return Result(
        (whole - encoding) / copy,
        details | {f"{name}_seconds": round(value, 3) for name, value in seconds.items()} | {"runs": _RUNS},
    )


def _in_turn(*sides: Callable[[], float], runs: int) -> list[tuple[float, ...]]:
    """Return the seconds that each side says it took, a tuple a round."""
    return [tuple(side() for side in sides) for _ in range(runs)]


def _train(pairs: Pairs) -> float:
    """Return the seconds of one epoch."""
    towers = create("tiny-resnet", side=_SIDE)
    decoded = Decoded(pairs, towers.canvas, cap_bytes=0)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        fit(towers, decoded, Settings(epochs=1), Path(folder), progress=Silent())
        return time.perf_counter() - started


@contextmanager
def _photos() -> Iterator[Path]:
    """Make shards of JPEG with captions, of the size that web sets have; a few pictures, repeated."""
    draw = random(0, "photos")
    photos = []
    for _ in range(_PHOTOS):
        coarse = draw.integers(0, 256, (14, 14, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((_PHOTO, _PHOTO), Image.Resampling.BICUBIC)
        grain = draw.normal(0, 9, (_PHOTO, _PHOTO, 3))
        out = io.BytesIO()
        Image.fromarray((np.asarray(smooth) + grain).clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
        photos.append(out.getvalue())
    words = ("dog", "cat", "bird", "boat")
    samples = (
        (
            f"{number:08d}",
            [
                ("jpg", photos[number % _PHOTOS]),
                ("txt", b"a photo of a %s" % words[number % 4].encode()),
                ("cls", b"%d" % (number % 4)),
            ],
        )
        for number in range(_SHARDS * _PER_SHARD)
    )
    with tempfile.TemporaryDirectory() as folder:
        write_webdataset(samples, Path(folder) / "set", per_shard=_PER_SHARD)
        yield Path(folder)


def _copy(source: Path, target: Path) -> float:
    """Return the seconds of copying every shard to where it is safe, as everything that is written here is."""
    target.mkdir()
    started = time.perf_counter()
    for path in sorted(source.glob("*.tar")):
        temporary = target / f".{path.name}"
        shutil.copyfile(path, temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target / path.name)
    seconds = time.perf_counter() - started
    shutil.rmtree(target)
    return seconds


def _poison(pairs: Pairs, plan: Plan, target: Path) -> float:
    started = time.perf_counter()
    poison(pairs, to=target, plan=plan)
    seconds = time.perf_counter() - started
    shutil.rmtree(target)
    return seconds


def _encode(pairs: Pairs, plan: Plan) -> float:
    started = time.perf_counter()
    for edit in plan.planted:
        members_of(pairs, plan, edit)
    return time.perf_counter() - started


ROWS = (
    Benchmark("lazy-plan-in-training", "at least", 0.9, lazy),
    Benchmark("poisoned-copy-against-copy", "at most", 1.3, written),
)
