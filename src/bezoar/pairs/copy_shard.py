"""One tar shard copied in part: kept members as they are, changed members with the looks of their headers."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from bezoar.pairs.archive import BLOCK, Contents, Member, read_contents
from bezoar.pairs.write import Sample, end_of_archive, header, padding
from bezoar.run import writing

_CHUNK = 1 << 22
CAPTION = "caption"

Members = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Changes:
    """What changes in one shard: new members of rows, and new samples that go before rows.

    `strays` says whether the members of no sample go along.
    """

    replaced: dict[int, Members] = field(default_factory=dict)
    added: dict[int, list[Sample]] = field(default_factory=dict)
    strays: bool = True

    def size(self) -> int:
        """Return the bytes that the new members hold, headers left out."""
        members = [*self.replaced.values(), *(sample[1] for group in self.added.values() for sample in group)]
        return sum(len(data) for group in members for _, data in group)


def copy_shard(source: Path, target: Path, keep: NDArray[np.bool_], changes: Changes) -> dict[str, int]:
    """Write the rows that `keep` marks to `target`, with `changes`.

    Returns name and size of the file. Where no row is kept there is none, unless the source has no sample.
    """
    with source.open("rb") as file:
        try:
            contents = read_contents(file)
        except tarfile.ReadError:
            contents = Contents([], [], None)
        if not (keep.any() or changes.added or (changes.strays and contents.members and not contents.keys)):
            target.unlink(missing_ok=True)
            return {}
        with writing(target) as out:
            for piece in _pieces(file, contents, keep, changes):
                if isinstance(piece, bytes):
                    out.write(piece)
                else:
                    _copy_range(file, out, *piece)
            out.write(end_of_archive(out.tell()))
            size = out.tell()
    return {target.name: size}


def _pieces(
    file: IO[bytes], contents: Contents, keep: NDArray[np.bool_], changes: Changes
) -> Iterator[bytes | tuple[int, int]]:
    """Yield what the new shard holds: bytes, or a range of the source."""
    groups: dict[int, list[Member]] = {row: [] for row in changes.replaced}
    for member in contents.members:
        if member.sample in groups:
            groups[member.sample].append(member)
    begun: set[int] = set()
    before = 0
    for member in contents.members:
        row = member.sample
        if row >= 0 and row not in begun:
            begun.add(row)
            for key, members in changes.added.get(row, ()):
                like = _info(file, member)
                for extension, data in members:
                    extension = "txt" if extension == CAPTION else extension
                    yield _new(f"{key}.{extension}", data, like)
        if member.start > before:
            yield before, member.start  # a header that holds for all that follow
        before = member.end
        if not member.whole or not (keep[row] if row >= 0 else changes.strays):
            continue
        if row in groups:
            yield from _edited(file, groups[row], member, changes.replaced[row])
        else:
            yield member.start, member.end
            yield padding(member.end)  # nothing, unless the archive ends within this padding


def _edited(file: IO[bytes], group: list[Member], member: Member, new: Members) -> Iterator[bytes | tuple[int, int]]:
    data = _new_bytes(file, member, new) if member.regular else None
    if data is None:
        yield member.start, member.end
        yield padding(member.end)
    else:
        yield _resized(file, member, len(data)) + data + padding(len(data))
    if member is group[-1]:
        stem = group[0].name[: len(group[0].name) - len(group[0].extension) - 1]
        for extension, extra in _missing(new, {other.extension for other in group}):
            yield _new(f"{stem}.{extension}", extra, _info(file, group[0]))


def _new_bytes(file: IO[bytes], member: Member, new: Members) -> bytes | None:
    """Return what a member of an edited sample holds from now on, or None if it stays."""
    for extension, data in new:
        if extension == member.extension:
            return data
        if extension == CAPTION and member.extension == "txt":
            return data
        if extension == CAPTION and member.extension == "json":
            file.seek(member.data)
            return with_caption(file.read(member.size), data.decode("utf-8"))
    return None


def _missing(new: Members, present: set[str]) -> Members:
    """Return the new members that the sample has no place for yet."""
    captioned = {"txt", "json"} & present
    plain = [(extension, data) for extension, data in new if extension != CAPTION and extension not in present]
    return plain + [("txt", data) for extension, data in new if extension == CAPTION and not captioned]


def with_caption(text: bytes, caption: str) -> bytes:
    """Return a JSON object with its captions replaced, one a line of `caption`, its other fields as they are."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = {}
    value = value if isinstance(value, dict) else {}
    fields = [name for name in ("captions", "caption", "text") if name in value] or ["caption"]
    for name in fields:
        texts = caption.split("\n")
        value[name] = texts if isinstance(value.get(name), list) else texts[0]
    compact = b": " not in text and b", " not in text
    separators = (",", ":") if compact else None
    return json.dumps(value, ensure_ascii=text.isascii(), separators=separators).encode()


def _info(file: IO[bytes], member: Member) -> tarfile.TarInfo:
    file.seek(member.data - BLOCK)
    return tarfile.TarInfo.frombuf(file.read(BLOCK), "utf-8", "surrogateescape")


def _new(name: str, data: bytes, like: tarfile.TarInfo) -> bytes:
    return header(name, len(data), like) + data + padding(len(data))


def _resized(file: IO[bytes], member: Member, size: int) -> bytes:
    """Return the member's own headers with another size in them."""
    info = _info(file, member)
    if info.size != member.size:  # the size stands in an extended header, as it does above 8 GB
        return header(member.name, size, info)
    file.seek(member.start)
    blocks = bytearray(file.read(member.data - member.start))
    main = blocks[-BLOCK:]
    main[124:136] = b"%011o\0" % size
    main[148:156] = b" " * 8
    main[148:156] = b"%06o\0 " % sum(main)
    return bytes(blocks[:-BLOCK]) + bytes(main)


def _copy_range(file: IO[bytes], out: IO[bytes], start: int, end: int) -> None:
    file.seek(start)
    while start < end:
        part = file.read(min(_CHUNK, end - start))
        if not part:
            raise OSError(f"the source ended at {start}")
        out.write(part)
        start += len(part)
