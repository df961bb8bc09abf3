"""One tar shard copied in part: kept members as they are, changed and new ones with the looks of their headers."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bezoar.pairs.archive import Contents, Member
from bezoar.pairs.caption_files import holds_list, with_captions, with_key, with_text
from bezoar.pairs.headers import renamed, resized, time_of
from bezoar.pairs.layout import Layout, from_contents, read_layout
from bezoar.pairs.write import end_of_archive, padding
from bezoar.run import random, writing

_CHUNK = 1 << 22
CAPTION = "caption"

Members = list[tuple[str, bytes]]
Piece = bytes | tuple[int, int]


@dataclass(frozen=True)
class Added:
    """A new sample: like the one of which `like` holds what its file format keeps, with `members` changed."""

    key: str
    old_key: str
    like: Any
    members: Members


@dataclass(frozen=True)
class Changes:
    """What changes in one shard: new members of rows, and new samples that go before rows.

    The row after the last stands for the end. `strays` says whether the members of no sample go along.
    """

    replaced: dict[int, Members] = field(default_factory=dict)
    added: dict[int, list[Added]] = field(default_factory=dict)
    strays: bool = True

    def told(self) -> Iterator[Any]:
        """Yield everything that the changes say, bytes as they are."""
        for row, members in sorted(self.replaced.items()):
            yield row, [(extension, len(data)) for extension, data in members]
            yield from (data for _, data in members)
        for row, group in sorted(self.added.items()):
            for new in group:
                yield row, new.key, new.old_key, new.like, [(extension, len(data)) for extension, data in new.members]
                yield from (data for _, data in new.members)

    def size(self) -> int:
        """Return about how many bytes the new members hold, headers left out."""
        new = [*self.replaced.values(), *(sample.members for group in self.added.values() for sample in group)]
        return sum(len(data) for members in new for _, data in members)


def copy_shard(source: Path, target: Path, keep: NDArray[np.bool_], changes: Changes) -> dict[str, int]:
    """Write the rows that `keep` marks to `target`, with `changes`.

    Returns name and size of the file. Where no row is kept there is none, unless the source has no sample.
    """
    with source.open("rb") as file:
        layout = _layout(file)
        only_strays = changes.strays and len(layout.start) and not layout.samples
        if not (keep.any() or changes.added or only_strays):
            target.unlink(missing_ok=True)
            return {}
        with writing(target) as out:
            for piece in _pieces(file, layout, keep, changes):
                if isinstance(piece, bytes):
                    out.write(piece)
                else:
                    _copy_range(file, out, *piece)
            out.write(end_of_archive(out.tell()))
            size = out.tell()
    return {target.name: size}


def originals(source: Path, rows: Sequence[int]) -> dict[int, Members]:
    """Return the members of samples of a shard: what the name says behind the key, and the bytes."""
    with source.open("rb") as file:
        layout = _layout(file)
        groups = {row: layout.of(row) for row in rows}
        return {
            row: [(member.name[-len(member.extension) :], _bytes(file, member)) for member in group]
            for row, group in groups.items()
        }


def holds_one_caption(members: Members) -> bool:
    """Say whether the captions of a sample stand where there is room for one only."""
    texts = {suffix.lower(): data for suffix, data in members}
    return "txt" in texts or "json" not in texts or not holds_list(texts["json"])


def _layout(file: IO[bytes]) -> Layout:
    try:
        return read_layout(file)
    except tarfile.ReadError:
        return from_contents(Contents([], [], None))


def _pieces(file: IO[bytes], layout: Layout, keep: NDArray[np.bool_], changes: Changes) -> Iterator[Piece]:
    """Yield what the new shard holds: bytes, or a range of the source."""
    start, end = layout.start.tolist(), layout.end.tolist()
    stays = layout.whole & np.where(layout.sample >= 0, np.append(keep, False)[layout.sample], changes.strays)
    edited = np.isin(layout.sample, list(changes.replaced))
    before = {layout.first(row): new for row, new in changes.added.items() if row < layout.samples}
    # A gap between members is a header that holds for all that follow: it is kept whatever goes.
    gap = np.append(0, layout.end[:-1]) < layout.start
    special = edited | gap | ~stays
    special[list(before)] = True
    groups = {row: layout.of(row) for row in changes.replaced}
    done = 0
    for place in [*np.flatnonzero(special).tolist(), len(start)]:
        if done < place:
            yield start[done], end[place - 1]
        done = place + 1
        for new in before.get(place, ()):
            yield from _new_sample(file, layout, place, new)
        if place < len(start) and gap[place]:
            yield end[place - 1] if place else 0, start[place]
        if place < len(start) and stays[place]:
            row = int(layout.sample[place])
            yield from _edited(file, groups.get(row, []), layout.member(place), changes.replaced.get(row, []))
    if len(start) and stays[-1] and not special[-1]:
        yield padding(end[-1])  # nothing, unless the archive ends within this padding
    for new in changes.added.get(layout.samples, ()):
        yield from _new_sample(file, layout, len(start), new)


def _edited(file: IO[bytes], group: list[Member], member: Member, new: Members) -> Iterator[Piece]:
    """Yield a member as `new` has it; behind the last of its sample, what the sample lacks of the new members."""
    data = _new_bytes(member.extension, _bytes(file, member), new) if member.regular else None
    if data is None:
        yield member.start, member.end
        yield padding(member.end)
    else:
        yield resized(file, member, len(data)) + data + padding(len(data))
    if group and member == group[-1]:
        stem = group[0].name[: len(group[0].name) - len(group[0].extension) - 1]
        for extension, extra in _missing(new, {other.extension for other in group}):
            name = f"{stem}.{extension}"
            yield renamed(file, group[0], name, len(extra), time_of(file, member)) + extra + padding(len(extra))


def _new_sample(file: IO[bytes], layout: Layout, place: int, new: Added) -> Iterator[bytes]:
    """Yield a sample that stands before the member at `place`, with headers as the members around it have them."""
    after = layout.member(min(place, len(layout.start) - 1))
    first, last = time_of(file, layout.member(max(place - 1, 0))), time_of(file, after)
    between = first + (last - first) * float(random(0, "time", new.key).random())
    time = between if isinstance(last, float) else round(between)
    for suffix, data in _alike(new):
        yield renamed(file, after, f"{new.key}.{suffix}", len(data), time) + data + padding(len(data))


def _alike(new: Added) -> Members:
    """Return the members of a new sample: those of its like, with what is new put in."""
    made = []
    for suffix, before in new.like:
        data = _new_bytes(suffix.lower(), before, new.members)
        data = before if data is None else data
        made.append((suffix, with_key(data, new.old_key, new.key) if suffix.lower() == "json" else data))
    return made + _missing(new.members, {suffix.lower() for suffix, _ in new.like})


def _new_bytes(extension: str, before: bytes, new: Members) -> bytes | None:
    """Return what a member of an edited sample holds from now on, or None if it stays."""
    for wanted, data in new:
        if wanted == extension:
            return data
        if wanted == CAPTION and extension == "txt":
            return with_text(before, data)
        if wanted == CAPTION and extension == "json":
            return with_captions(before, data.decode("utf-8").split("\n"))
    return None


def _missing(new: Members, present: set[str]) -> Members:
    """Return the new members that the sample has no place for yet."""
    captioned = {"txt", "json"} & present
    plain = [(extension, data) for extension, data in new if extension != CAPTION and extension not in present]
    return plain + [("txt", data) for extension, data in new if extension == CAPTION and not captioned]


def _bytes(file: IO[bytes], member: Member) -> bytes:
    file.seek(member.data)
    return file.read(member.size)


def _copy_range(file: IO[bytes], out: IO[bytes], start: int, end: int) -> None:
    """Append bytes of one file to another; within the kernel, where it can."""
    if end - start >= _CHUNK // 8 and hasattr(os, "copy_file_range"):
        out.flush()
        with suppress(OSError):  # between some file systems it cannot
            while start < end and (done := os.copy_file_range(file.fileno(), out.fileno(), end - start, start)):
                start += done
        out.seek(0, os.SEEK_END)
    file.seek(start)
    while start < end:
        part = file.read(min(_CHUNK, end - start))
        if not part:
            raise OSError(f"the source ended at {start}")
        out.write(part)
        start += len(part)
