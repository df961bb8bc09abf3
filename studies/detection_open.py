"""Questions that the field left open, asked of encoders that were really trained on the poison.

* `NAME@released` is the published arithmetic, shifted rows and all; `NAME@corrected` ours, on the same batches: the
  batch is the reference, as published, with K neighbours.
* `slof@k=K,m=M` is SLOF with so many neighbours of so many references, without a purge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from benchmarks import published
from numpy.typing import NDArray

import bezoar
from bezoar.detection.detectors import parse
from bezoar.detection.excerpt import excerpt
from bezoar.run import random

K, BATCH = 16, 2048
Scores = NDArray[np.float64]
Ask = Callable[[bezoar.Evidence], Scores]
_RELEASED = {"k-distance": published.k_distance, "slof": published.slof, "dao": published.dao}


def asked_openly(name: str) -> Ask:
    """Return what answers one of the questions, (n,) of evidence of n pairs; k is made to fit a smaller set."""
    detector, _, form = name.partition("@")
    if form == "released":
        return lambda evidence: _by_batch(evidence, lambda part: _released(part, detector))
    if form == "corrected":
        return lambda evidence: _by_batch(evidence, lambda part: _corrected(part, detector))
    given = dict(one.split("=") for one in form.split(","))
    return lambda evidence: _at(evidence, detector, int(given["k"]), int(given["m"]))


def _by_batch(evidence: bezoar.Evidence, score: Ask) -> Scores:
    order = random(evidence.seed, "batches").permutation(len(evidence))
    scores = np.empty(len(evidence))
    for rows in np.array_split(order, max(1, round(len(evidence) / BATCH))):
        scores[rows] = score(excerpt(evidence, rows))
    return scores


def _released(part: bezoar.Evidence, detector: str) -> Scores:
    vectors = torch.from_numpy(np.asarray(part.image, np.float32))
    return np.asarray(_RELEASED[detector](vectors, K), np.float64)


def _corrected(part: bezoar.Evidence, detector: str) -> Scores:
    return _at(part, detector, K, len(part))


def _at(evidence: bezoar.Evidence, detector: str, k: int, m: int) -> Scores:
    references = min(m, len(evidence))
    fresh = excerpt(evidence, np.arange(len(evidence)))
    return parse(detector)(replace(fresh, k=min(k, references - 2), m=references))
