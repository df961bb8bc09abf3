"""Where the members of a tar shard stand, as arrays: enough to copy most of a shard without looking at its members.

* A plain archive (regular files, short names, a proper end, the members of a sample one behind the other) is read by
  columns, many times sooner than header by header. Of any other `read_contents` says the same.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from bezoar.pairs.archive import BLOCK, Contents, Member, read_contents, split_name

Places = NDArray[np.int64]

_HEADER = np.dtype(
    {
        "names": ["bytes", "name", "size", "sum", "type", "prefix"],
        "formats": [(np.uint8, BLOCK), (np.uint8, 100), (np.uint8, 12), (np.uint8, 8), np.uint8, np.uint8],
        "offsets": [0, 0, 124, 148, 156, 345],
        "itemsize": BLOCK,
    }
)
_MAGIC = 257
_EVEN = np.uint64(0x00FF00FF00FF00FF)


@dataclass(frozen=True)
class Layout:
    """The members of a shard in file order, all arrays (n,).

    Headers and bytes in [start, end), the padding included; the row of the sample, or -1 for a member of no sample;
    whether the member is whole. `member` gives all there is to know of one of them.
    """

    start: Places
    end: Places
    sample: Places
    whole: NDArray[np.bool_]
    samples: int
    member: Callable[[int], Member]

    def of(self, row: int) -> list[Member]:
        """Return the members of a sample."""
        return [self.member(int(place)) for place in np.flatnonzero(self.sample == row)] if row >= 0 else []

    def first(self, row: int) -> int:
        """Return the place of the first member of a sample."""
        return int((self.sample == row).argmax())


def read_layout(file: IO[bytes]) -> Layout:
    """Read a shard. Raises tarfile.ReadError if it is no uncompressed tar archive."""
    return read_plain(file) or from_contents(read_contents(file))


def from_contents(contents: Contents) -> Layout:
    """Return the layout of an archive that was read header by header."""
    members = contents.members
    return Layout(
        np.array([member.start for member in members], np.int64),
        np.array([member.end for member in members], np.int64),
        np.array([member.sample for member in members], np.int64),
        np.array([member.whole for member in members], bool),
        len(contents.keys),
        members.__getitem__,
    )


def read_plain(file: IO[bytes]) -> Layout | None:
    """Read a plain archive by columns; None for any other."""
    try:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (ValueError, OSError):  # an empty file, or one that cannot be mapped
        return None
    blocks = np.frombuffer(data, _HEADER, len(data) // BLOCK)
    found = _headers(blocks)
    if found is None:
        return None
    at, size = found
    headers = blocks[at]
    field: NDArray[np.uint8] = headers["name"]
    longest = int((field != 0).sum(axis=1).max(initial=0))
    names = np.ascontiguousarray(field[:, :longest])
    sample = _samples(names) if _are_plain(headers, names) else None
    if sample is None:
        return None
    start, begin = at * BLOCK, (at + 1) * BLOCK
    end = begin + -(-size // BLOCK) * BLOCK

    def member(place: int) -> Member:
        name = bytes(names[place]).rstrip(b"\0").decode("utf-8", "surrogateescape")
        named = split_name(name)
        where = [int(column[place]) for column in (start, begin, size, end, sample)]
        return Member(name, where[0], where[1], where[2], where[3], where[4], named[1] if named else "", True, True)

    return Layout(start, end, sample, np.ones(len(at), bool), int(sample.max(initial=-1)) + 1, member)


def _headers(blocks: NDArray[np.void]) -> tuple[Places, Places] | None:
    """Return the block of every header and the size it tells; None unless each leads to the next and to an end."""
    likely = np.flatnonzero(blocks["bytes"][:, _MAGIC] == ord("u"))
    size = _octal(blocks["size"][likely, :11])
    likely, size = likely[size >= 0], size[size >= 0]
    leads = likely + 1 + -(-size // BLOCK)
    nearest = np.searchsorted(likely, leads)
    chain: list[int] = []
    here, place = 0, 0
    known, lead, near = likely.tolist(), leads.tolist(), nearest.tolist()
    while place < len(known) and known[place] == here:
        chain.append(place)
        here, place = lead[place], near[place]
    ended = chain and here < len(blocks) and not blocks["bytes"][here].any()
    return (likely[chain], size[chain]) if ended else None


def _octal(digits: NDArray[np.uint8]) -> Places:
    """Return the numbers that rows of octal digits spell, -1 where a row holds anything else."""
    values = digits.astype(np.int64) - ord("0")
    right = ((values >= 0) & (values < 8)).all(axis=1)
    return np.where(right, values @ 8 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64), -1)


def _are_plain(headers: NDArray[np.void], names: NDArray[np.uint8]) -> bool:
    """Say whether all are headers of regular files with their right sums and names that end in their field."""
    sums = _sums(headers["bytes"]) - headers["sum"].sum(axis=1, dtype=np.int64) + 8 * ord(" ")
    length = (names != 0).sum(axis=1)
    last = names[np.arange(len(names)), np.maximum(length - 1, 0)]
    return bool(
        np.isin(headers["type"], (ord("0"), 0)).all()
        and not headers["prefix"].any()
        and (_octal(headers["sum"][:, :6]) == sums).all()
        and ((names == 0).argmax(axis=1) == length)[length < names.shape[1]].all()
        and (length > 0).all()
        and (last != ord("/")).all()
    )


def _sums(headers: NDArray[np.uint8]) -> Places:
    """Return the sum of the bytes of each header: eight at a time, in four lanes that cannot overflow."""
    words = np.ascontiguousarray(headers).view(np.uint64)
    lanes = ((words & _EVEN) + (words >> np.uint64(8) & _EVEN)).sum(axis=1, dtype=np.uint64)
    return np.asarray(lanes.view(np.uint16).reshape(-1, 4).sum(axis=1, dtype=np.int64))


def _samples(names: NDArray[np.uint8]) -> Places | None:
    """Return the row of each member's sample; None where a sample is scattered or has an extension twice."""
    places = np.arange(names.shape[1], dtype=np.int16)
    slash = np.where(names == ord("/"), places, -1).max(axis=1)
    dot = np.where((names == ord(".")) & (places > slash[:, None]), places, names.shape[1]).min(axis=1)
    has_key = (dot > slash + 1) & (dot < (names != 0).sum(axis=1) - 1)
    key = names * (places < dot[:, None])
    first = has_key.copy()
    first[1:] &= (key[1:] != key[:-1]).any(axis=1) | ~has_key[:-1]
    sample = np.where(has_key, np.cumsum(first) - 1, -1)
    lower = names + 32 * ((names >= ord("A")) & (names <= ord("Z"))).astype(np.uint8)
    for step in range(1, int(np.bincount(sample + 1)[1:].max(initial=0))):
        if ((lower[step:] == lower[:-step]).all(axis=1) & (sample[step:] == sample[:-step])).any():
            return None
    return sample if len({bytes(own) for own in key[first]}) == int(first.sum()) else None
