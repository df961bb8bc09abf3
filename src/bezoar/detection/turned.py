"""Vectors as a look wants them, at unit length or several tables side by side: made when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.neighbours import Indices, Table, Vectors, chunks

_ROWS_AT_ONCE = 1 << 14


@dataclass(frozen=True, eq=False)
class Turned:
    """Tables (n, d_i) side by side, as float32 (n, d): each times its factor, or every row of it at unit length (None).

    Vectors of length zero stay as they are.
    """

    tables: tuple[Table, ...]
    factors: tuple[float | None, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and columns."""
        return len(self), sum(table.shape[1] for table in self.tables)

    def __len__(self) -> int:
        return len(self.tables[0])

    def __getitem__(self, rows: slice | Indices, /) -> NDArray[np.float32]:
        """Return some rows, (b, d)."""
        parts = [
            _unit(np.asarray(table[rows], np.float32))
            if factor is None
            else np.asarray(table[rows], np.float32) * np.float32(factor)
            for table, factor in zip(self.tables, self.factors, strict=True)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Vectors:
        """Make all rows at once."""
        return np.asarray(self[0 : len(self)], dtype or np.float32)


def median_length(table: Table) -> float:
    """Return the median length of the vectors (n, d)."""
    lengths = np.empty(len(table), np.float32)
    for rows in chunks(len(table), _ROWS_AT_ONCE):
        lengths[rows] = np.linalg.norm(np.asarray(table[rows], np.float32), axis=1)
    return float(np.median(lengths))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, np.float32(1.0)), np.float32)
