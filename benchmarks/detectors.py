"""Density detectors against the matrix product they cannot do without, and against the published code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from bezoar.detection import Evidence, Look
from bezoar.detection.density import Density
from bezoar.run import random

from . import published
from .measure import Benchmark, Result, cpu_seconds, shortest

_N, _WIDTH, _M, _K, _DEFAULT_K = 20_000, 512, 2_048, 16, 256


def _vectors() -> np.ndarray:
    return random(0, "benchmark").standard_normal((_N, _WIDTH), dtype=np.float32)


def _three(vectors: np.ndarray) -> None:
    """Find copies, draw and prepare the reference, and score all vectors, in one pass."""
    Evidence(image=vectors, k=_K, m=_M).density(Look()).scores(Density.k_distance, Density.slof, Density.dao)


def _bare(vectors: np.ndarray) -> Callable[[], object]:
    left = torch.from_numpy(vectors)
    right = left[:_M].T.clone()
    return lambda: left @ right


def against_product() -> Result:
    """K-distance, SLOF and DAO of one reference, against one product of the same size."""
    torch.set_num_threads(1)
    vectors, runs = _vectors(), 7
    ours, bare = shortest(lambda: _three(vectors), _bare(vectors), runs=runs, clock=cpu_seconds)
    return Result(ours / bare, _details(_K, ours, runs, product_seconds=bare))


def against_published() -> Result:
    """How many times more the published scheme costs; its batches are alike, so one is measured."""
    torch.set_num_threads(1)
    vectors = _vectors()
    batch = torch.from_numpy(vectors[:_M])

    def theirs() -> None:
        published.k_distance(batch, _K)
        published.slof(batch, _K)
        published.dao(batch, _K)

    runs = 2
    ours, one_batch = shortest(lambda: _three(vectors), theirs, runs=runs, clock=cpu_seconds)
    whole = one_batch * _N / _M
    return Result(
        whole / ours,
        _details(_K, ours, runs, published_seconds=whole, published_seconds_measured_on_one_batch=one_batch),
    )


def default_density() -> Result:
    """The density part of the default, search for copies and purge included, against one product of all."""
    torch.set_num_threads(1)
    vectors, runs = _vectors(), 5
    purged = Evidence(image=vectors, k=_DEFAULT_K, m=_M).purged_count
    ours, bare = shortest(
        lambda: Evidence(image=vectors, k=_DEFAULT_K, m=_M).purged_density(Look()).slof(),
        _bare(vectors),
        runs=runs,
        clock=cpu_seconds,
    )
    return Result(ours / bare, _details(_DEFAULT_K, ours, runs, purged=purged, product_seconds=bare))


def _details(k: int, ours: float, runs: int, **more: float) -> dict[str, object]:
    shapes = {"vectors": [_N, _WIDTH], "references": _M, "k": k}
    seconds = {name: round(value, 4) for name, value in more.items()}
    return {"shapes": shapes, "threads": 1, "cpu_seconds": round(ours, 4), **seconds, "runs": runs}


ROWS = (
    Benchmark("detectors-against-product", "at most", 2.0, against_product),
    Benchmark("detectors-against-published", "at least", 50.0, against_published),
    Benchmark("default-density-against-product", "at most", 4.0, default_density),
)
