"""Where the grid's figures are kept: one row a measure, in a small Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from studies.cells import Cell
from studies.kept import FIRST_PUBLISHED_SEED, machine, schema, write_rows

PUBLISHED = Path("docs/studies/grid.parquet")
_TEXTS = ("cell", "set", "attack", "spec", "measure", "goal", "protocol", "machine")
_NUMBERS = ("value", "low", "high", "beside", "beside_low", "beside_high", "seconds")
_COUNTS = ("seed", "pairs", "planted", "n", "jpeg")
SCHEMA = schema(_TEXTS, _NUMBERS, _COUNTS)


def file_of(seed: int, trials: Path) -> Path:
    """Return the file that a seed's rows go to."""
    return PUBLISHED if seed >= FIRST_PUBLISHED_SEED else trials / "trials.parquet"


def read_rows(path: Path = PUBLISHED) -> list[dict[str, Any]]:
    """Return every row."""
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist() if path.is_file() else []
    return rows


def known_cells(trials: Path) -> set[str]:
    """Return the names of the cells that have been measured."""
    return {row["cell"] for path in (PUBLISHED, trials / "trials.parquet") for row in read_rows(path)}


def keep_rows(cell: Cell, rows: list[dict[str, Any]], trials: Path) -> None:
    """Put the cell's rows in place of those that it had."""
    path = file_of(cell.seed, trials)
    same = {
        "cell": cell.name,
        "set": cell.set,
        "attack": cell.attack,
        "spec": cell.spec,
        "seed": cell.seed,
        "machine": machine(),
    }
    kept = [row for row in read_rows(path) if row["cell"] != cell.name] + [{**same, **row} for row in rows]
    write_rows(kept, path, SCHEMA, lambda row: row["cell"])
