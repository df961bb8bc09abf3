"""Exact copies: rows of a table that are equal bit for bit, found in one pass and without comparing all with all.

* A pile counts as one point wherever neighbours are taken, and all of it gets the one score: a placeholder behind a
  thousand dead links neither crowds nor empties the neighbourhood of others, and a poison gains nothing by repetition.
* Rows are told apart by a hash of their bytes, and equal hashes by the bytes themselves.
* Memory: 16 bytes a row while it lasts, 16 bytes a copy afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.neighbours import Indices, Table, chunks
from bezoar.run import random

Hashes = NDArray[np.uint64]

_BYTES_AT_ONCE = 1 << 23
_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Piles:
    """The exact copies among n rows.

    `copies` (c,), ascending: rows that repeat an earlier one; `firsts` (c,): the earliest row with the same bytes.
    """

    n: int
    copies: Indices
    firsts: Indices

    @property
    def distinct(self) -> int:
        """How many different rows there are."""
        return self.n - len(self.copies)

    def rows(self, ranks: Indices) -> Indices:
        """Return the rows of some of the different ones, counted in order from 0."""
        # Copy number i has copies[i] − i different rows before it.
        before = self.copies - np.arange(len(self.copies))
        return np.asarray(ranks + np.searchsorted(before, ranks, side="right"), np.int64)

    def originals(self, start: int, stop: int) -> Indices:
        """Return the earliest equal row of each row from `start` to `stop`."""
        rows = np.arange(start, stop, dtype=np.int64)
        part = slice(*np.searchsorted(self.copies, (start, stop)))
        rows[self.copies[part] - start] = self.firsts[part]
        return rows


def find_piles(table: Table) -> Piles:
    """Find the rows of a table (n, d), of any number type, that are equal bit for bit."""
    hashes = _hashes(table)
    shared = _repeated(hashes)
    rows = _with_hash(hashes, shared)
    hashes, copies, firsts = hashes[rows], [], []
    while len(rows):
        # The first row of each hash stands for it; rows that are not equal to it go round again.
        order = np.argsort(hashes, kind="stable")
        leads = np.empty(len(rows), np.int64)
        starts = np.flatnonzero(np.diff(hashes[order], prepend=~hashes[order[:1]]))
        leads[order] = np.repeat(rows[order[starts]], np.diff(starts, append=len(rows)))
        equal = _equal(table, rows, leads)
        real = equal & (rows != leads)
        copies.append(rows[real])
        firsts.append(leads[real])
        rows, hashes = rows[~equal], hashes[~equal]
    if not copies:
        return Piles(len(table), np.zeros(0, np.int64), np.zeros(0, np.int64))
    found, first = np.concatenate(copies), np.concatenate(firsts)
    order = np.argsort(found)
    return Piles(len(table), found[order], first[order])


def _hashes(table: Table) -> Hashes:
    """Return a hash of each row's bytes, (n,)."""
    n, width = table.shape
    one = np.asarray(table[0:1])
    size = width * one.dtype.itemsize
    words = -(-size // 8)
    factors = random(0, "piles").integers(1 << 63, size=words, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    hashes = np.empty(n, np.uint64)
    for rows in chunks(n, max(1, _BYTES_AT_ONCE // (8 * words))):
        bits = np.zeros((rows.stop - rows.start, words * 8), np.uint8)
        bits[:, :size] = np.ascontiguousarray(table[rows]).view(np.uint8)
        values = bits.view(np.uint64)
        # A factor moves bits upwards only: without this step the uppermost ones, the signs, would hardly count.
        values ^= values >> np.uint64(31)
        hashes[rows] = values @ factors
    return hashes


def _repeated(hashes: Hashes) -> Hashes:
    """Return the values that occur more than once, ascending."""
    ordered = np.sort(hashes)
    found = [np.zeros(0, np.uint64)]
    for part in chunks(len(ordered) - 1, _ROWS_AT_ONCE):
        following = ordered[part.start + 1 : part.stop + 1]
        found.append(following[following == ordered[part]])
    return np.unique(np.concatenate(found))


def _with_hash(hashes: Hashes, wanted: Hashes) -> Indices:
    """Return the rows whose hash is among the wanted ones, ascending."""
    if not len(wanted):
        return np.zeros(0, np.int64)
    found = []
    for part in chunks(len(hashes), _ROWS_AT_ONCE):
        place = np.minimum(np.searchsorted(wanted, hashes[part]), len(wanted) - 1)
        found.append(part.start + np.flatnonzero(wanted[place] == hashes[part]))
    return np.concatenate(found)


def _equal(table: Table, rows: Indices, others: Indices) -> NDArray[np.bool_]:
    """Return whether the bytes of two rows are equal, (c,)."""
    equal = rows == others
    asked = np.flatnonzero(~equal)
    for part in chunks(len(asked), max(1, _BYTES_AT_ONCE // max(1, table.shape[1] * 8))):
        at = asked[part]
        one, other = (np.ascontiguousarray(table[which[at]]).view(np.uint8) for which in (rows, others))
        equal[at] = (one == other).all(axis=1)
    return np.asarray(equal)
