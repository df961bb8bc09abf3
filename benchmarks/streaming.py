"""Scoring vectors that lie on disk: how time and anonymous memory grow with the number of pairs.

* `python -m benchmarks.streaming --sizes 100000 1000000 10000000 --folder DIR` measures any sizes and prints both rows;
  a million pairs take a gigabyte of disk. `--width` and `--device cuda` change what is measured. `python -m benchmarks`
  runs the two smaller sizes.
* Each size is scored by a process of its own, by the density part of the default: search for exact copies, reference,
  purge, scores. Its anonymous memory is sampled from /proc, so this runs on Linux only.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from bezoar.run import random

from .measure import Benchmark, Result

_SHARD = 100_000
_BYTES_A_ROW = 16
_SECONDS_BETWEEN_SAMPLES = 0.005


@dataclass(frozen=True)
class Plan:
    """What is measured: these numbers of pairs, so wide, on a device; `folder` holds the vectors for a while."""

    sizes: tuple[int, ...] = (100_000, 1_000_000)
    width: int = 512
    device: str = "cpu"
    folder: str | None = None


def growth_of_time(plan: Plan = Plan()) -> Result:
    """The exponent with which processor time grows from the smallest to the largest size."""
    runs = _measured(plan)
    first, last = runs[0], runs[-1]
    exponent = math.log(last["cpu_seconds"] / first["cpu_seconds"]) / math.log(last["pairs"] / first["pairs"])
    return Result(exponent, {"runs": runs})


def growth_of_memory(plan: Plan = Plan()) -> Result:
    """Peak anonymous memory of the largest size over that of the one before, both less 16 bytes a row."""
    runs = _measured(plan)
    small, large = (run["anonymous_bytes"] - _BYTES_A_ROW * run["pairs"] for run in runs[-2:])
    return Result(large / small, {"runs": runs})


@cache
def _measured(plan: Plan) -> tuple[dict[str, Any], ...]:
    return tuple(_one_size(size, plan) for size in sorted(plan.sizes))


def _one_size(pairs: int, plan: Plan) -> dict[str, Any]:
    if plan.folder is not None:
        Path(plan.folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=plan.folder) as place:
        _write(Path(place), pairs, plan.width)
        command = [sys.executable, "-m", "benchmarks.streaming", "--measure", place, "--device", plan.device]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def _write(folder: Path, pairs: int, width: int) -> None:
    """Write shards of different float16 vectors: one random block, with other last digits in each."""
    block = random(0, "streaming").standard_normal((min(pairs, _SHARD), width), dtype=np.float32).astype(np.float16)
    for number, start in enumerate(range(0, pairs, _SHARD)):
        bits = block[: min(_SHARD, pairs - start)].view(np.uint16) ^ np.uint16(number)
        np.save(folder / f"{number:04d}.npy", bits.view(np.float16))


def _measure(folder: Path, device: str) -> dict[str, Any]:
    """Score what lies in the folder; return seconds and the peak of this process's anonymous memory."""
    import torch

    from bezoar.detection import Evidence, Look
    from bezoar.embeddings import Shards

    torch.set_num_threads(1)
    table = Shards(tuple(np.load(file, mmap_mode="r") for file in sorted(folder.glob("*.npy"))))
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(_SECONDS_BETWEEN_SAMPLES):
            peak[0] = max(peak[0], _anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        scores = Evidence(image=table, device=device).purged_density(Look()).slof()
    finally:
        done.set()
        watcher.join()
    return {
        "pairs": len(scores),
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "anonymous_bytes": max(peak[0], _anonymous()),
    }


def _anonymous() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])


ROWS = (
    Benchmark("streaming-exponent-of-time", "at most", 1.05, growth_of_time),
    Benchmark("streaming-growth-of-memory", "at most", 1.1, growth_of_memory),
)


def main() -> None:
    """Measure the sizes that were asked for, or, in the process of one size, what lies in a folder."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming")
    parser.add_argument("--sizes", type=int, nargs="+", default=usual.sizes)
    parser.add_argument("--width", type=int, default=usual.width)
    parser.add_argument("--device", default=usual.device)
    parser.add_argument("--folder", help="where the vectors are written for a while")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        print(json.dumps(_measure(given.measure, given.device)))
        return
    if len(given.sizes) < 2:
        parser.error("growth takes two sizes or more")
    plan = Plan(tuple(given.sizes), given.width, given.device, given.folder)
    for row, function in zip(ROWS, (growth_of_time, growth_of_memory), strict=True):
        asked = Benchmark(row.name, row.bound, row.limit, partial(function, plan))
        print(json.dumps(asked.report()), flush=True)


if __name__ == "__main__":
    main()
