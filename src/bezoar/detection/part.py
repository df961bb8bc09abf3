"""Some rows of a table, taken from it when they are asked for: nothing is copied before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bezoar.detection.neighbours import Indices, Table, Vectors


@dataclass(frozen=True, eq=False)
class Part:
    """The rows `chosen` (m,) of a table (n, d), in this order, as a table (m, d)."""

    table: Table
    chosen: Indices

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and columns."""
        return len(self), self.table.shape[1]

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, rows: slice | Indices, /) -> Vectors:
        """Return some rows, (b, d)."""
        return self.table[self.chosen[rows]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Vectors:
        """Read all rows into memory."""
        return np.array(self[0 : len(self)], dtype)
