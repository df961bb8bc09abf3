"""The restated detectors against loops written from the description of the published code."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from benchmarks import published

from bezoar.run import random


def distance(a, b):
    return math.sqrt(sum((float(p) - float(q)) ** 2 for p, q in zip(a, b, strict=True)))


def queries_and_references(batch):
    """For each row: (distance, column once self is cut out), and the uncut distances; both ascending."""
    cut, uncut = [], []
    for i, x in enumerate(batch):
        row = [distance(x, y) for y in batch]
        without = row[:i] + row[i + 1 :]
        cut.append(sorted((d, column) for column, d in enumerate(without)))
        uncut.append(sorted(row))
    return cut, uncut


def damped_lid(row, k):
    return -k / sum(math.log(row[i] / row[k] + 1e-4) for i in range(k))


def naive(name, batch, k):
    cut, uncut = queries_and_references(batch)
    scores = []
    for row in cut:
        own = row[k][0]
        # The column of the cut row is read in the uncut table: not shifted back, as published.
        near = [column for _, column in row[:k]]
        if name == "k_distance":
            scores.append(own)
        elif name == "lid":
            scores.append(damped_lid([d for d, _ in row], k))
        elif name == "slof":
            scores.append(sum(own / uncut[o][k] for o in near) / k)
        else:
            scores.append(sum(damped_lid(uncut[o], k) * math.log(own / uncut[o][k]) for o in near) / k)
    return scores


@pytest.mark.parametrize("name", ["k_distance", "lid", "slof", "dao"])
@pytest.mark.parametrize(("n", "width", "k", "seed"), [(30, 4, 3, 0), (50, 8, 16, 1), (12, 2, 1, 2)])
def test_equals_the_loop(name, n, width, k, seed):
    batch = random(seed, "published").standard_normal((n, width))
    ours = getattr(published, name)(torch.from_numpy(batch), k)
    assert np.allclose(ours.numpy(), naive(name, batch, k), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["slof", "dao"])
def test_neighbours_with_exact_copies_give_a_thousand(name):
    batch = random(0, "copies").standard_normal((20, 3))
    batch[:6] = batch[0]
    scores = getattr(published, name)(torch.from_numpy(batch), 4)
    assert torch.isfinite(scores).all()
    assert scores.max() == 1000


def test_the_shifted_index_shows():
    # Two points, one far away: correct neighbours of an early query lie after it and are misread.
    batch = random(3, "shift").standard_normal((40, 4))
    batch[10:] += 20
    wrong = published.slof(torch.from_numpy(batch), 3)
    cut, uncut = queries_and_references(batch)
    right = [sum(row[3][0] / uncut[o + (o >= i)][3] for _, o in row[:3]) / 3 for i, row in enumerate(cut)]
    assert not np.allclose(wrong.numpy(), right, rtol=1e-3)
