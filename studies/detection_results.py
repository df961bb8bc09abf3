"""Where the figures of the grid of detection are kept: one row a detector and measure, in a small Parquet file."""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from bezoar.run import writing
from bezoar.run.machine import describe, threads

PUBLISHED = Path("docs/studies/detection.parquet")
FIRST_PUBLISHED_SEED = 100
_TEXTS = ("cell", "set", "attack", "setting", "encoder", "loop", "detector", "measure", "note", "machine")
_NUMBERS = ("value", "low", "high", "asr", "asr_low", "asr_high")
_COUNTS = ("poisons", "seed", "pairs", "planted", "n", "asr_n", "sample")
SCHEMA = pa.schema(
    [(name, pa.string()) for name in _TEXTS]
    + [(name, pa.float64()) for name in _NUMBERS]
    + [(name, pa.int64()) for name in _COUNTS]
)


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
    machine = describe()
    told = {"machine": f"{machine['cpu']}, {machine['cores']} cores, {threads()} threads"}
    detectors = {row["detector"] for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(trials):
        kept = [row for row in read_rows(path) if row["cell"] != same["cell"] or row["detector"] not in detectors]
        kept += [{**same, **told, **row} for row in rows]
        kept.sort(key=lambda row: (row["cell"], row["detector"]))
        with writing(path) as file:
            parquet.write_table(pa.Table.from_pylist(kept, SCHEMA), file, compression="zstd")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two parts of the study may run side by side: one writes at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
