"""The scores that a scan left, for the pairs of whoever asks: matched by key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from bezoar.pairs import Pairs
from bezoar.run import BezoarError, Run

SCORES_FILE = "scores.parquet"


def stored_scores(scan: str | Path, pairs: Pairs) -> NDArray[np.float64]:
    """Return how suspicious the scan in the folder `scan` found each pair by itself, float64 (n,), higher is more.

    NaN is a pair that the scan could not read. Raises BezoarError for a folder that is no finished scan, for pairs
    that were not scanned, and for a key that stands for several pairs in an order other than that of the scan.
    """
    run = Run.load(scan, "scan")
    try:
        table = parquet.read_table(run.path / SCORES_FILE)
    except (OSError, pa.ArrowException) as error:
        raise BezoarError(f"{run.path / SCORES_FILE} cannot be read.", "Scan the pairs again.") from error
    keys = table["key"].to_pylist()
    # Scans of before had no share of their fellows in the score, and no column without it.
    column = table["alone" if "alone" in table.column_names else "score"]
    scores = np.array([np.nan if score is None else score for score in column.to_pylist()], np.float64)
    if keys == pairs.keys:
        return scores
    place = {key: row for row, key in enumerate(keys)}
    missing = [key for key in pairs.keys if key not in place]
    if missing:
        raise BezoarError(
            f"{len(missing):,} of {len(pairs):,} pairs were not scanned, {missing[0]} among them.",
            "Name the set that was scanned.",
        )
    if len(place) < len(keys):
        raise BezoarError(
            "Keys of the scanned set stand for several pairs each, and these pairs stand in another order.",
            "Name the set that was scanned, whole.",
        )
    return scores[[place[key] for key in pairs.keys]]
