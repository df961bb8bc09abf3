"""The backdoor z-score: how much closer to one another a trigger moves pictures (Carlini & Terzis 2022)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bezoar.embeddings import unit
from bezoar.evaluation.backdoor import Marked
from bezoar.evaluation.bench import Bench
from bezoar.evaluation.intervals import RESAMPLES, percentiles
from bezoar.evaluation.measure import Measure
from bezoar.evaluation.protocol import among, codec, protocol
from bezoar.run import random

MOST = 1000
_FEWEST = 3


def z_scores(bench: Bench, marked: Marked, goal: str) -> list[Measure]:
    """Return z-score-sd and z-score-var of up to MOST pictures, drawn by the seed.

    (mean cosine of pairs of triggered pictures - mean cosine of pairs of clean ones) / spread of the clean cosines,
    over pairs i < j; the spread is the unbiased standard deviation or variance: which of the two the paper divides by
    is not known. The interval is a bootstrap's over pictures. No row for fewer than three pictures, or for a model
    that gives all pictures one cosine.
    """
    seed = bench.setting.seed
    rows = np.arange(len(bench))
    if len(rows) > MOST:
        rows = np.sort(random(seed, "z-score").choice(len(rows), MOST, replace=False))
    clean, triggered = unit(bench.base[rows]), unit(marked.vectors[rows])
    if len(rows) < _FEWEST:
        return []
    whole = np.ones((1, len(rows)))
    shift, spread = _shift_and_variance(clean, triggered, whole)
    if not spread[0] > 0:
        return []
    draw = random(seed, "bootstrap", "z-score", goal)
    counts = draw.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=RESAMPLES).astype(np.float64)
    shifts, spreads = _shift_and_variance(clean, triggered, counts)
    usable = spreads > 0  # a resample of one picture alone has no spread
    how = protocol(
        queries=among(len(rows), "picture"),
        trigger=marked.trigger,
        canvas=f"{bench.canvas.side} px",
        codec=codec(bench.setting.jpeg),
        cosines=f"{len(rows) * (len(rows) - 1) // 2:,} pairs i < j",
    )

    def row(name: str, power: float, of: str) -> Measure:
        low, high = percentiles(shifts[usable] / spreads[usable] ** power)
        value = float(shift[0] / spread[0] ** power)
        return Measure(name, value, len(rows), low, high, f"{how}; divided by: {of} of clean cosines", goal, "z-score")

    return [row("z-score-sd", 0.5, "standard deviation"), row("z-score-var", 1.0, "variance")]


def _shift_and_variance(
    clean: NDArray[np.float32], triggered: NDArray[np.float32], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shift of the mean cosine and variance of the clean ones, each (r,), for counts (r, n) of each picture.

    A picture that was drawn twice is not paired with itself: that cosine would be 1 in both.
    """
    before, after = (np.asarray(one @ one.T, np.float64) for one in (clean, triggered))
    pairs = (counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)) / 2

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        both: NDArray[np.float64] = ((counts @ values) * counts).sum(axis=1) - counts**2 @ np.diag(values)
        return both / 2

    # Around their middle, so that the difference of squares keeps its digits.
    middle = before.mean()
    first, second = total(before - middle) / pairs, total((before - middle) ** 2) / pairs
    shift = total(after - middle) / pairs - first
    return shift, (second - first**2) * pairs / (pairs - 1)
