"""The members of one tar shard, as they lie in the file.

* Only headers are read, one after another; nothing is ever extracted and no link is followed.
* A sample is the members of one key: the name up to the first dot of its base name, the folder kept.
* A second member with the same key and extension begins a second sample of that key.
* An archive that ends early or is damaged gives what stands before, and says so.
"""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from typing import IO, cast

from bezoar.pairs.reasons import CUT_OFF, DAMAGED

BLOCK = tarfile.BLOCKSIZE
_LONGEST_HEADER = 1 << 20
_BROKEN = (tarfile.TarError, ValueError, OverflowError, OSError)


@dataclass(frozen=True, slots=True)
class Member:
    """One member: headers in [start, data), bytes in [data, data + size), padding up to `end`.

    `sample` is the row of its sample, or -1 for a member of no sample.
    """

    name: str
    start: int
    data: int
    size: int
    end: int
    sample: int
    extension: str
    regular: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """All members in file order, the key of each sample, and how the archive ends (None: as it should)."""

    members: list[Member]
    keys: list[str]
    fault: str | None


class _Headers:
    """A file that only gives small reads: a header that claims to be huge must not fill the memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError("header too long")
        return self._file.read(size)


def split_name(name: str) -> tuple[str, str] | None:
    """Return key and extension (lower case, no dot) of a member, or None if it belongs to no sample."""
    folder, slash, base = name.rpartition("/")
    stem, dot, extension = base.partition(".")
    return (folder + slash + stem, extension.lower()) if stem and dot and extension else None


def read_contents(file: IO[bytes]) -> Contents:
    """Read the headers of an uncompressed tar archive. Raises tarfile.ReadError if it is none."""
    total = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        archive = tarfile.open(fileobj=cast("IO[bytes]", _Headers(file)), mode="r:")  # noqa: SIM115
    except _BROKEN as error:
        raise tarfile.ReadError("not an uncompressed tar archive") from error
    members: list[Member] = []
    keys: list[str] = []
    newest: dict[str, tuple[int, set[str]]] = {}
    while True:
        try:
            info = archive.next()
        except _BROKEN:
            return Contents(members, keys, CUT_OFF if archive.offset >= total - BLOCK else DAMAGED)
        if info is None:
            return Contents(members, keys, _ending(file, archive.offset))
        archive.members = []  # type: ignore[attr-defined]  # it would hold every header of the shard
        if info.size < 0 or archive.offset <= info.offset:
            return Contents(members, keys, DAMAGED)
        regular = info.isreg() and not info.issparse()
        whole = info.offset_data + (info.size if info.isreg() else 0) <= total
        named = None if info.isdir() else split_name(info.name)
        sample, extension = -1, ""
        if named is not None:
            sample, extension = _sample(named, keys, newest), named[1]
        members.append(
            Member(
                info.name,
                info.offset,
                info.offset_data,
                info.size,
                min(archive.offset, total),
                sample,
                extension,
                regular,
                whole,
            )
        )
        if not whole:
            return Contents(members, keys, CUT_OFF)


def _sample(named: tuple[str, str], keys: list[str], newest: dict[str, tuple[int, set[str]]]) -> int:
    key, extension = named
    known = newest.get(key)
    if known is None or extension in known[1]:
        known = newest[key] = (len(keys), set())
        keys.append(key)
    known[1].add(extension)
    return known[0]


def _ending(file: IO[bytes], offset: int) -> str | None:
    file.seek(offset)
    block = file.read(BLOCK)
    if len(block) < BLOCK:
        return CUT_OFF
    return DAMAGED if any(block) else None
