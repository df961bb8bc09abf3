"""The full demo keeps what the README says of it. Slow: `make soak`."""

import pytest

from bezoar.demo import demo


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [100, 101, 102])
def test_the_demo_meets_its_targets(seed, tmp_path):
    summary = demo(to=tmp_path, seed=seed, controls=True).summary
    assert summary["clean_accuracy_before"] >= 0.90
    assert summary["clean_accuracy_after"] >= 0.90
    assert summary["asr_before"] >= 0.90
    assert summary["asr_after"] <= 0.06
    assert summary["dropped_share"] <= 0.02
    assert summary["recall_at_drop"] >= 0.95
    assert summary["average_precision"] >= 0.92
    assert summary["asr_random_drop"] >= 0.7
