"""Rates: a share, its n, and an interval that holds it."""

import numpy as np
import pytest

from bezoar.evaluation.intervals import wilson
from bezoar.evaluation.rate import Rate


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (3, 7), (7, 7), (1, 1)])
def test_a_rate_counts_its_hits(hits, n):
    row = Rate.of("asr", np.arange(n) < hits, "how")
    assert (row.name, row.value, row.n, row.protocol) == ("asr", hits / n, n, "how")
    assert (row.low, row.high) == wilson(hits, n)
    assert row.low <= row.value <= row.high
