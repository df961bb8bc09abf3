"""One CSV set copied in part: kept records with the text they have in the file, and their pictures.

A changed or new record is that of a pair with other text in some of its fields; quotes are set as that record has them.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from bezoar.pairs.copy_shard import CAPTION, Added, Changes, Members
from bezoar.pairs.row import unsafe
from bezoar.pairs.table import Columns, Record, field, find_columns, number_pairs
from bezoar.run import write_bytes, writing

_FIELD = re.compile(r'"(?:[^"]|"")*"[^,\r\n]*|[^,\r\n]*')


def copy_table(source: Path, target: Path, keep: NDArray[np.bool_], changes: Changes) -> dict[str, int]:
    """Write the records of the rows that `keep` marks, and copy their pictures beside them.

    Returns names and sizes of all files written; nothing is written where no row is kept.
    """
    if not keep.any() and not changes.added:
        target.unlink(missing_ok=True)
        return {}
    columns = Columns(-1, -1, -1)
    sizes: dict[str, int] = {}
    seen: Counter[int] = Counter()
    records_of = Counter(row for _, row in number_pairs(source)) if changes.replaced else seen
    with writing(target) as out:
        for record, row in number_pairs(source):
            if row < 0:
                columns = columns if columns.image >= 0 else find_columns(record.fields, source)
                out.write(_bytes(record.raw))
                continue
            place = seen[row]
            seen[row] += 1
            for new in changes.added.get(row, ()) if place == 0 else ():
                out.writelines(_records(new, columns, target.parent, sizes))
            if not keep[row]:
                continue
            members = changes.replaced.get(row, [])
            if place == 0:
                _copy_picture(source.parent, field(record, columns.image), target.parent, members, sizes)
            captions = _captions(members)
            if captions is None:
                out.write(_bytes(record.raw))
                continue
            # The last record of a pair takes all captions that are left, a record each.
            until = len(captions) if place + 1 == records_of[row] else place + 1
            out.writelines(_with_fields(record, {columns.caption: caption}) for caption in captions[place:until])
        for new in changes.added.get(len(seen), ()):
            out.writelines(_records(new, columns, target.parent, sizes))
        size = out.tell()
    return {target.name: size, **sizes}


def originals(source: Path, rows: Sequence[int]) -> dict[int, list[Record]]:
    """Return the records of pairs of a CSV set."""
    found: dict[int, list[Record]] = defaultdict(list)
    wanted = set(rows)
    for record, row in number_pairs(source):
        if row in wanted:
            found[row].append(record)
    return found


def _captions(members: Members) -> list[str] | None:
    return next((data.decode("utf-8").split("\n") for extension, data in members if extension == CAPTION), None)


def _bytes(raw: str) -> bytes:
    ended = raw if raw.endswith(("\n", "\r")) else raw + "\n"
    return ended.encode("utf-8", "surrogateescape")


def _records(new: Added, columns: Columns, folder: Path, sizes: dict[str, int]) -> Iterator[bytes]:
    """Write the picture of a new pair into the folder of its like's, and yield its records."""
    records: list[Record] = new.like
    like = PurePosixPath(field(records[0], columns.image))
    name = str(like.with_name(new.key + like.suffix))
    data = next(data for extension, data in new.members if extension != CAPTION)
    write_bytes(folder / name, data)
    sizes[name] = len(data)
    captions = _captions(new.members) or [field(record, columns.caption) for record in records]
    for place, caption in enumerate(captions):
        yield _with_fields(records[min(place, len(records) - 1)], {columns.image: name, columns.caption: caption})


def _with_fields(record: Record, new: dict[int, str]) -> bytes:
    """Return the text of a record with other fields."""
    ending = "\r\n" if record.raw.endswith("\r\n") else "\n"
    fields = _raw_fields(record.raw)
    # Quotes where none are needed stand around every field.
    always = any(raw[:1] == '"' and not _needs_quotes(text) for raw, text in zip(fields, record.fields, strict=False))
    fields += [""] * (1 + max(new) - len(fields))
    for column, text in new.items():
        if column >= 0:
            doubled = text.replace('"', '""')
            fields[column] = f'"{doubled}"' if always or _needs_quotes(text) else text
    return (",".join(fields) + ending).encode("utf-8", "surrogateescape")


def _raw_fields(raw: str) -> list[str]:
    """Return the fields of a record as they are written."""
    fields, at = list[str](), 0
    while found := _FIELD.match(raw, at):
        fields.append(found[0])
        at = found.end() + 1
        if raw[found.end() : at] != ",":
            break
    return fields


def _needs_quotes(text: str) -> bool:
    return any(letter in text for letter in ',"\r\n')


def _copy_picture(folder: Path, name: str, target: Path, members: Members, sizes: dict[str, int]) -> None:
    source = folder / name
    if not name or unsafe(name) or not source.is_file():
        return
    if not source.resolve().is_relative_to(folder.resolve()):
        return
    extension = source.suffix.lower().lstrip(".")
    data = next((data for wanted, data in members if wanted == extension), None)
    if data is not None:
        write_bytes(target / name, data)
    else:
        with source.open("rb") as file, writing(target / name) as out:
            shutil.copyfileobj(file, out)
    sizes[name] = (target / name).stat().st_size
