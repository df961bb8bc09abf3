"""What the files of figures have in common: columns, the machine that a row names, and how rows are written."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from bezoar.run import writing
from bezoar.run.machine import describe, threads

FIRST_PUBLISHED_SEED = 100


def schema(texts: Collection[str], numbers: Collection[str], counts: Collection[str]) -> pa.Schema:
    """Return the columns of a file: texts, then numbers, then whole numbers."""
    kinds = ((texts, pa.string()), (numbers, pa.float64()), (counts, pa.int64()))
    return pa.schema([(name, kind) for names, kind in kinds for name in names])


def machine() -> str:
    """Return what a row says of the machine that it was measured on."""
    found = describe()
    return f"{found['cpu']}, {found['cores']} cores, {threads()} threads"


def write_rows(
    rows: list[dict[str, Any]], path: Path, columns: pa.Schema, order: Callable[[Mapping[str, Any]], Any]
) -> None:
    """Write all rows of a file, in order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as file:
        parquet.write_table(
            pa.Table.from_pylist(sorted(rows, key=order), columns), file, compression="zstd", compression_level=19
        )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two parts of a study may run side by side: one writes at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
