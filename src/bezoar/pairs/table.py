"""A CSV file beside its pictures: one column names the picture, one the caption, perhaps one the label.

* Rows that name the same picture are one pair with several captions.
* A picture outside the folder of the CSV file (absolute, `..`, or by a link) is never opened.
"""

from __future__ import annotations

import csv
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bezoar.pairs import reasons
from bezoar.pairs.row import Row, readable, unsafe
from bezoar.run import BROKEN_DATA, BezoarError

IMAGE_COLUMNS = ("image", "file", "filename", "path", "filepath")
CAPTION_COLUMNS = ("caption", "text", "title")
LABEL_COLUMNS = ("label",)


@dataclass(frozen=True)
class Record:
    """One record with its text exactly as it stands in the file (`raw`, line ends included)."""

    raw: str
    fields: list[str]


@dataclass(frozen=True)
class Columns:
    """Where the columns that matter are; -1 for a column that is not there."""

    image: int
    caption: int
    label: int


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a CSV file, the header first; bytes that are not UTF-8 become lone surrogates."""
    lines: list[str] = []

    def remembered() -> Iterator[str]:
        for number, line in enumerate(file):
            lines.append(line)
            yield line.removeprefix("\ufeff") if number == 0 else line

    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        reader = csv.reader(remembered())
        try:
            for fields in reader:
                yield Record("".join(lines), fields)
                lines.clear()
        except csv.Error as error:
            raise BezoarError(
                f"{path.name}, line {reader.line_num}: {error}.", "Repair the CSV file.", BROKEN_DATA
            ) from error


def find_columns(header: list[str], path: Path) -> Columns:
    """Find the columns by their names; no picture column, or neither caption nor label, is an error."""
    names = [name.strip().lower() for name in header]

    def find(known: tuple[str, ...]) -> int:
        return next((names.index(name) for name in known if name in names), -1)

    columns = Columns(find(IMAGE_COLUMNS), find(CAPTION_COLUMNS), find(LABEL_COLUMNS))
    if columns.image < 0 or (columns.caption < 0 and columns.label < 0):
        raise BezoarError(
            f"{path.name} has no column for the picture or none for the caption.",
            f"Name them in its first line: {', '.join(IMAGE_COLUMNS)}; {', '.join(CAPTION_COLUMNS)}.",
        )
    return columns


def field(record: Record, column: int) -> str:
    """Return one field, or nothing where the record is too short or the column is not there."""
    return record.fields[column].strip() if 0 <= column < len(record.fields) else ""


def number_pairs(path: Path) -> Iterator[tuple[Record, int]]:
    """Yield each record with the row of its pair; -1 for the header and for blank lines."""
    columns: Columns | None = None
    known: dict[str, int] = {}
    count = 0
    for record in read_records(path):
        if columns is None:
            columns = find_columns(record.fields, path)
            yield record, -1
        elif not record.fields:
            yield record, -1
        else:
            name = field(record, columns.image)
            number = known.setdefault(name, count) if name else count
            count += number == count
            yield record, number


def read_table(path: Path) -> tuple[list[Row], str | None]:
    """Return the rows of a CSV set."""
    rows: list[Row] = []
    folder = path.parent.resolve()
    used: set[str] = set()
    columns = Columns(-1, -1, -1)
    for record, number in number_pairs(path):
        if number < 0:
            columns = columns if columns.image >= 0 else find_columns(record.fields, path)
            continue
        if number == len(rows):
            rows.append(picture_row(folder, field(record, columns.image), number, used))
        _add_text(rows[number], field(record, columns.caption), field(record, columns.label))
    for row in rows:
        if row.reason is None and not row.captions and row.label is None:
            row.reason = reasons.NO_CAPTION
    return rows, None


def picture_row(folder: Path, name: str, number: int, used: set[str]) -> Row:
    """Return the row of the picture file `name` below `folder`; its key is the stem, unique among `used`."""
    path = folder / name
    row = Row(key=_unique(readable(Path(name).stem) or "unnamed", used), row=number, file=readable(name))
    row.extension = path.suffix.lower().lstrip(".")
    if not name:
        row.reason = reasons.NO_IMAGE
    elif unsafe(name) or readable(name) != name or "\0" in name:
        row.reason = reasons.UNSAFE_NAME
    else:
        try:
            status = path.stat()
            inside = path.resolve().is_relative_to(folder)
        except (OSError, RuntimeError):
            row.reason = reasons.NO_IMAGE
        else:
            if not inside:
                row.reason = reasons.UNSAFE_NAME
            elif not stat.S_ISREG(status.st_mode):
                row.reason = reasons.IRREGULAR
            else:
                row.size, row.modified = status.st_size, status.st_mtime_ns
    return row


def _unique(stem: str, used: set[str]) -> str:
    key, count = stem, 1
    while key in used:
        count += 1
        key = f"{stem}#{count}"
    used.add(key)
    return key


def _add_text(row: Row, caption: str, label: str) -> None:
    if readable(caption) != caption:
        row.reason = row.reason or reasons.NOT_UTF8
    elif caption:
        row.captions.append(caption)
    if row.label is None and label.isascii() and label.isdigit() and len(label) < 10:
        row.label = int(label)
