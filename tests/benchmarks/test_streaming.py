from __future__ import annotations

import numpy as np
import pytest
from benchmarks import streaming

from bezoar.detection.piles import find_piles
from bezoar.embeddings import Shards


def test_the_vectors_are_finite_and_all_different(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "_SHARD", 50)
    streaming._write(tmp_path, 1230, 8)
    table = Shards(tuple(np.load(file) for file in sorted(tmp_path.glob("*.npy"))))
    assert table.shape == (1230, 8)
    assert table.dtype == np.float16
    assert np.isfinite(np.asarray(table)).all()
    assert find_piles(table).distinct == 1230


@pytest.fixture
def runs(monkeypatch):
    found = [
        {"pairs": 10**5, "cpu_seconds": 2.0, "anonymous_bytes": 300_000_000 + 16 * 10**5},
        {"pairs": 10**6, "cpu_seconds": 20.0, "anonymous_bytes": 310_000_000 + 16 * 10**6},
        {"pairs": 10**7, "cpu_seconds": 200.0, "anonymous_bytes": 341_000_000 + 16 * 10**7},
    ]
    monkeypatch.setattr(streaming, "_measured", lambda plan: found)
    return found


def test_linear_time_has_the_exponent_one(runs):
    assert streaming.growth_of_time().ratio == pytest.approx(1)
    runs[-1]["cpu_seconds"] = 20_000.0
    assert streaming.growth_of_time().ratio == pytest.approx(2)


def test_sixteen_bytes_a_row_are_no_growth(runs):
    assert streaming.growth_of_memory().ratio == pytest.approx(1.1)


def test_what_lies_in_a_folder_is_scored_and_its_memory_sampled(tmp_path):
    streaming._write(tmp_path, 900, 16)
    run = streaming._measure(tmp_path, "cpu")
    assert run["pairs"] == 900
    assert run["anonymous_bytes"] > 10**7
    assert run["cpu_seconds"] > 0
