"""Where the figures of the grid of detection are kept: one row a detector and measure, in a small Parquet file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from studies.kept import FIRST_PUBLISHED_SEED, alone, machine, schema, write_rows

PUBLISHED = Path("docs/studies/detection.parquet")
_TEXTS = ("cell", "set", "attack", "setting", "encoder", "loop", "detector", "measure", "note", "machine")
_NUMBERS = ("value", "low", "high", "asr", "asr_low", "asr_high")
_COUNTS = ("poisons", "seed", "pairs", "planted", "n", "asr_n", "sample")
SCHEMA = schema(_TEXTS, _NUMBERS, _COUNTS)


def file_of(seed: int, trials: Path) -> Path:
    """Return the file that a seed's rows go to."""
    return PUBLISHED if seed >= FIRST_PUBLISHED_SEED else trials / "trials.parquet"


def read_rows(path: Path = PUBLISHED) -> list[dict[str, Any]]:
    """Return every row."""
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist() if path.is_file() else []
    return rows


def known(trials: Path) -> dict[str, set[str]]:
    """Return the detectors that have been measured, by cell."""
    found: dict[str, set[str]] = {}
    for path in (PUBLISHED, trials / "trials.parquet"):
        for row in read_rows(path):
            found.setdefault(row["cell"], set()).add(row["detector"])
    return found


def keep_rows(same: Mapping[str, Any], rows: Collection[Mapping[str, Any]], trials: Path) -> None:
    """Put rows in place of those that the cell had of the same detectors; `same` is what all of them share."""
    path = file_of(same["seed"], trials)
    told = {"machine": machine()}
    detectors = {row["detector"] for row in rows}
    with alone(trials):
        kept = [row for row in read_rows(path) if row["cell"] != same["cell"] or row["detector"] not in detectors]
        kept += [{**same, **told, **row} for row in rows]
        write_rows([_rounded(row) for row in kept], path, SCHEMA, lambda row: (row["cell"], row["detector"]))


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """Six digits are more than any figure here can bear, and half the size."""
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in row.items()}
