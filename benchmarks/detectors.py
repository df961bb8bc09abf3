"""Density detectors against the matrix product they cannot do without, and against the published code."""

from __future__ import annotations

import numpy as np
import torch

from bezoar.detection.density import measure
from bezoar.detection.evidence import PURGED_SHARE
from bezoar.detection.reference import sample
from bezoar.run import random

from . import published
from .measure import Benchmark, Result, cpu_seconds, shortest

_N, _WIDTH, _M, _K, _DEFAULT_K = 20_000, 512, 2_048, 16, 256


def _vectors() -> tuple[np.ndarray, np.ndarray]:
    vectors = random(0, "benchmark").standard_normal((_N, _WIDTH), dtype=np.float32)
    return vectors, sample(_N, _M, 0)


def _three(vectors: np.ndarray, reference: np.ndarray) -> None:
    density = measure(vectors, reference, _K)
    density.k_distance()
    density.slof()
    density.dao()


def against_product() -> Result:
    """K-distance, SLOF and DAO of one reference, against one product of the same size."""
    torch.set_num_threads(1)
    vectors, reference = _vectors()
    left, right = torch.from_numpy(vectors), torch.from_numpy(vectors[reference]).T
    runs = 7
    ours, bare = shortest(lambda: _three(vectors, reference), lambda: left @ right, runs=runs, clock=cpu_seconds)
    return Result(ours / bare, _details(_K, ours, runs, product_seconds=bare))


def against_published() -> Result:
    """How many times more the published scheme costs; its batches are alike, so one is measured."""
    torch.set_num_threads(1)
    vectors, reference = _vectors()
    batch = torch.from_numpy(vectors[:_M])

    def theirs() -> None:
        published.k_distance(batch, _K)
        published.slof(batch, _K)
        published.dao(batch, _K)

    runs = 2
    ours, one_batch = shortest(lambda: _three(vectors, reference), theirs, runs=runs, clock=cpu_seconds)
    whole = one_batch * _N / _M
    return Result(
        whole / ours,
        _details(_K, ours, runs, published_seconds=whole, published_seconds_measured_on_one_batch=one_batch),
    )


def default_density() -> Result:
    """The density part of the default, purge included, against the one product that it makes."""
    torch.set_num_threads(1)
    vectors, reference = _vectors()
    left, right = torch.from_numpy(vectors), torch.from_numpy(vectors[reference]).T
    count = round(PURGED_SHARE * _M)
    runs = 5
    ours, bare = shortest(
        lambda: measure(vectors, reference, _DEFAULT_K, spare=count).purged(_DEFAULT_K, count).slof(),
        lambda: left @ right,
        runs=runs,
        clock=cpu_seconds,
    )
    return Result(ours / bare, _details(_DEFAULT_K, ours, runs, purged=count, product_seconds=bare))


def _details(k: int, ours: float, runs: int, **more: float) -> dict[str, object]:
    shapes = {"vectors": [_N, _WIDTH], "references": _M, "k": k}
    seconds = {name: round(value, 4) for name, value in more.items()}
    return {"shapes": shapes, "threads": 1, "cpu_seconds": round(ours, 4), **seconds, "runs": runs}


ROWS = (
    Benchmark("detectors-against-product", "at most", 2.0, against_product),
    Benchmark("detectors-against-published", "at least", 50.0, against_published),
    Benchmark("default-density-against-product", "at most", 4.0, default_density),
)
