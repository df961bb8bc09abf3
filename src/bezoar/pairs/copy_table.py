"""One CSV set copied in part: kept records with the text they have in the file, and their pictures."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bezoar.pairs.copy_shard import CAPTION, Changes, Members
from bezoar.pairs.row import unsafe
from bezoar.pairs.table import Columns, Record, field, find_columns, number_pairs
from bezoar.run import write_bytes, writing


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
    folder = source.parent
    with writing(target) as out:
        for record, row in number_pairs(source):
            if row < 0:
                columns = columns if columns.image >= 0 else find_columns(record.fields, source)
                out.write(_bytes(record.raw))
                continue
            place = seen[row]
            seen[row] += 1
            fresh = place == 0
            for key, members in changes.added.get(row, ()) if fresh else ():
                out.write(_added(record, columns, key, members, target.parent, sizes))
            if not keep[row]:
                continue
            members = changes.replaced.get(row, [])
            name = field(record, columns.image)
            if fresh:
                _copy_picture(folder, name, target.parent, members, sizes)
            caption = next((data for extension, data in members if extension == CAPTION), None)
            if caption is None:
                out.write(_bytes(record.raw))
            elif place < len(texts := caption.decode("utf-8").split("\n")):
                out.write(_with_fields(record, {columns.caption: texts[place]}))
        size = out.tell()
    return {target.name: size, **sizes}


def _bytes(raw: str) -> bytes:
    ended = raw if raw.endswith(("\n", "\r")) else raw + "\n"
    return ended.encode("utf-8", "surrogateescape")


def _with_fields(record: Record, new: dict[int, str]) -> bytes:
    fields = list(record.fields)
    for column, text in new.items():
        if column >= 0:
            fields.extend([""] * (column + 1 - len(fields)))
            fields[column] = text
    line = io.StringIO()
    ending = "\r\n" if record.raw.endswith("\r\n") else "\n"
    csv.writer(line, lineterminator=ending).writerow(fields)
    return line.getvalue().encode("utf-8", "surrogateescape")


def _added(record: Record, columns: Columns, key: str, members: Members, folder: Path, sizes: dict[str, int]) -> bytes:
    new = dict.fromkeys(range(len(record.fields)), "")
    for extension, data in members:
        if extension in (CAPTION, "txt"):
            new[columns.caption] = data.decode("utf-8")
        elif extension == "cls":
            new[columns.label] = data.decode("utf-8")
        else:
            # Beside the picture it stands before, so that a folder looks as it did.
            name = str(Path(field(record, columns.image)).with_name(f"{key}.{extension}"))
            new[columns.image] = name
            write_bytes(folder / name, data)
            sizes[name] = len(data)
    return _with_fields(record, new)


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
