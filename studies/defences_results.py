"""Where the figures of the grid of defences are kept: one row a measure, in a small Parquet file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet

from studies.kept import FIRST_PUBLISHED_SEED, alone, machine, schema, write_rows

PUBLISHED = Path("docs/studies/defences.parquet")
_TEXTS = ("cell", "set", "attack", "defence", "kind", "setting", "victim", "measure", "protocol", "machine")
_NUMBERS = ("value", "low", "high", "beside", "cpu_seconds")
_COUNTS = ("seed", "pairs", "planted", "n")
SCHEMA = schema(_TEXTS, _NUMBERS, _COUNTS)


def file_of(seed: int, trials: Path) -> Path:
    """Return the file that a seed's rows go to."""
    return PUBLISHED if seed >= FIRST_PUBLISHED_SEED else trials / "trials.parquet"


def read_rows(path: Path = PUBLISHED) -> list[dict[str, Any]]:
    """Return every row, with its `cost`: CPU seconds in those of plain training on the same set, where both are known.

    Seconds are CPU seconds of one thread, so that what else the machine did hardly counts. What filters had a model
    trained before, plainly, for their scan: one training more.
    """
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist() if path.is_file() else []
    plain = {
        name: float(np.median(spent))
        for name in {row["set"] for row in rows}
        if (spent := [row["cpu_seconds"] for row in rows if _is_plain(row, name)])
    }
    for row in rows:
        known = row["cpu_seconds"] is not None and row["set"] in plain
        beforehand = 1.0 if row["defence"].startswith("filter") else 0.0
        row["cost"] = beforehand + row["cpu_seconds"] / plain[row["set"]] if known else None
    return rows


def _is_plain(row: Mapping[str, Any], name: str) -> bool:
    return (row["set"], row["defence"], row["measure"]) == (name, "clip", "zero-shot-top1") and bool(row["cpu_seconds"])


def _stored(path: Path) -> list[dict[str, Any]]:
    return [{name: row[name] for name in SCHEMA.names} for row in read_rows(path)]


def stored_rows(trials: Path) -> list[dict[str, Any]]:
    """Return the rows of all seeds."""
    return [row for path in (PUBLISHED, trials / "trials.parquet") for row in read_rows(path)]


def known_cells(trials: Path) -> set[str]:
    """Return the names of the cells that have been measured."""
    return {row["cell"] for row in stored_rows(trials)}


def keep_rows(same: Mapping[str, Any], rows: list[dict[str, Any]], trials: Path) -> None:
    """Put a cell's rows in place of those that it had; `same` is what all of them share, its "cell" and "seed" too."""
    path = file_of(same["seed"], trials)
    told = {"machine": machine()}
    with alone(trials):
        kept = [row for row in _stored(path) if row["cell"] != same["cell"]]
        kept += [{**same, **told, **row} for row in rows]
        write_rows(kept, path, SCHEMA, lambda row: row["cell"])
