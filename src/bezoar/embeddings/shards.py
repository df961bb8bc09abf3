"""Vectors that stay on disk: the files of a folder as one table, read by rows.

* Files are mapped, not read: what is looked at passes through the system's cache, not through memory of ours.
* A table of shards stands wherever vectors are taken by rows, such as in `Evidence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.run import BezoarError

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shards:
    """Tables (n_i, d) of one number type, one after the other; `order` (n,): only these rows, in this order."""

    parts: tuple[NDArray[Any], ...]
    order: Rows | None = None

    def __post_init__(self) -> None:
        kinds = {(part.ndim, part.shape[1:], part.dtype) for part in self.parts}
        if len(kinds) != 1 or self.parts[0].ndim != 2:
            raise BezoarError("The shards are no tables of one width and number type.", "Make the embeddings again.")

    def __len__(self) -> int:
        return int(self._starts[-1]) if self.order is None else len(self.order)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and columns."""
        return len(self), int(self.parts[0].shape[1])

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """The number type on disk."""
        return self.parts[0].dtype

    def __getitem__(self, rows: slice | Rows, /) -> NDArray[Any]:
        """Return the vectors at some rows, (b, d), in memory only as far as they cannot be mapped in one piece."""
        if self.order is not None:
            return self._gathered(self.order[rows])
        if not isinstance(rows, slice):
            return self._gathered(np.arange(len(self))[rows] if rows.dtype == bool else rows)
        start, stop, step = rows.indices(len(self))
        if step != 1:
            return self._gathered(np.arange(start, stop, step))
        first, last = np.searchsorted(self._starts, (start, max(start, stop - 1)), side="right") - 1
        pieces = [
            self.parts[at][max(0, start - self._starts[at]) : max(0, stop - self._starts[at])]
            for at in range(min(first, len(self.parts) - 1), min(last, len(self.parts) - 1) + 1)
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read everything into memory."""
        if copy is False:
            raise ValueError("a table of shards becomes one array by copying only")
        whole = self[0 : len(self)]
        return np.array(whole, dtype or whole.dtype)

    def select(self, rows: Rows) -> Shards:
        """Return the table of some rows only, in this order; nothing is read."""
        if len(rows) == len(self) and np.array_equal(rows, np.arange(len(self))):
            return self  # rows in a row can be mapped in one piece
        return Shards(self.parts, rows if self.order is None else self.order[rows])

    @cached_property
    def _starts(self) -> Rows:
        """The first row of each part, and the number of all."""
        return np.cumsum([0, *(len(part) for part in self.parts)])

    def _gathered(self, rows: Rows) -> NDArray[Any]:
        total = int(self._starts[-1])
        if len(rows) and not -total <= rows.min() <= rows.max() < total:
            raise IndexError(f"a row outside of {total}")
        rows = np.where(rows < 0, rows + total, rows)
        found = np.empty((len(rows), self.shape[1]), self.dtype)
        place = np.searchsorted(self._starts, rows, side="right") - 1
        for at in np.unique(place):
            here = place == at
            found[here] = self.parts[at][rows[here] - self._starts[at]]
        return found


def open_shards(folder: str | Path, kind: str = "img_emb") -> Shards:
    """Map the vectors of a folder in the clip-retrieval layout, `kind` img_emb or text_emb.

    Their order is that of `load_embeddings`. Raises BezoarError where there are none, or a file is no table of vectors.
    """
    folder = Path(folder)
    files = sorted((folder / "metadata").glob("*.parquet"))
    if not files:
        raise BezoarError(f"No embeddings in {folder}.", "Name a folder with img_emb, text_emb and metadata.")
    numbers = [file.stem.removeprefix("metadata_") for file in files]
    try:
        parts = [np.load(folder / kind / f"{kind}_{number}.npy", mmap_mode="r") for number in numbers]
    except (OSError, ValueError, EOFError) as error:
        raise BezoarError(f"{folder / kind} cannot be read ({error}).", "Make the embeddings again.") from error
    return Shards(tuple(parts))
