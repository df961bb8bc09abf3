"""WebDataset shards: plain tar archives whose members share a key.

* Pictures: .jpg .jpeg .png .webp. Captions: .txt, else .json (`captions`, `caption` or `text`). Labels: .cls.
* A sample that cannot be used is a row with a reason; the row number counts the samples of the shard.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import IO, Any

from bezoar.pairs import reasons
from bezoar.pairs.archive import Contents, Member, read_contents
from bezoar.pairs.row import Row, readable, unsafe

IMAGES = ("jpg", "jpeg", "png", "webp")
_LONGEST_TEXT = 1_000_000
_JSON_FIELDS = ("captions", "caption", "text")


def read_shard(path: Path) -> tuple[list[Row], str | None]:
    """Return the rows of one shard and what is wrong with the shard as a whole (None: nothing)."""
    with path.open("rb") as file:
        try:
            contents = read_contents(file)
        except tarfile.ReadError as error:
            return [], str(error)
        groups: list[list[Member]] = [[] for _ in contents.keys]
        for member in contents.members:
            if member.sample >= 0:
                groups[member.sample].append(member)
        rows = [_row(file, number, contents, group) for number, group in enumerate(groups)]
    return rows, contents.fault


def _row(file: IO[bytes], number: int, contents: Contents, group: list[Member]) -> Row:
    row = Row(key=readable(contents.keys[number]), row=number)
    for member in group:
        if member.extension in IMAGES and member.regular and member.whole and row.size < 0:
            row.offset, row.size, row.extension = member.data, member.size, member.extension
    texts = {member.extension: member for member in group if member.regular and member.whole}
    fault = _read_label(file, texts.get("cls"), row)
    fault = _read_captions(file, texts, row) or fault
    if unsafe(contents.keys[number]):
        row.reason = reasons.UNSAFE_NAME
    elif not all(member.regular for member in group):
        row.reason = reasons.IRREGULAR
    elif not all(member.whole for member in group):
        row.reason = reasons.CUT_OFF
    elif row.size < 0:
        row.reason = reasons.NO_IMAGE
    elif not row.captions and (fault or row.label is None):
        row.reason = fault or reasons.NO_CAPTION
    if contents.fault and number == len(contents.keys) - 1 and row.reason in _INCOMPLETE:
        row.reason = contents.fault
    return row


# At the end of a broken shard, what is missing was most likely in the part that is lost.
_INCOMPLETE = (reasons.NO_IMAGE, reasons.NO_CAPTION)


def _read(file: IO[bytes], member: Member) -> bytes:
    file.seek(member.data)
    return file.read(member.size)


def _read_label(file: IO[bytes], member: Member | None, row: Row) -> str | None:
    if member is None:
        return None
    text = _read(file, member).strip() if member.size <= 64 else b""
    row.label = int(text) if text.isdigit() and len(text) < 10 else None
    return reasons.BAD_LABEL if row.label is None else None


def _read_captions(file: IO[bytes], texts: dict[str, Member], row: Row) -> str | None:
    fault = None
    for extension in ("txt", "json"):
        member = texts.get(extension)
        if member is None or row.captions:
            continue
        if member.size > _LONGEST_TEXT:
            fault = reasons.TOO_LONG
            continue
        try:
            text = _read(file, member).decode("utf-8")
            row.captions = json_captions(text) if extension == "json" else cleaned([text])
        except UnicodeError:
            fault = reasons.NOT_UTF8
        except (ValueError, RecursionError):
            fault = reasons.NOT_JSON
    return fault


def cleaned(captions: list[Any]) -> list[str]:
    """Return the captions that say something, without the white space around them."""
    stripped = [caption.strip() for caption in captions if isinstance(caption, str)]
    return [caption for caption in stripped if caption]


def json_captions(text: str) -> list[str]:
    """Return the captions of a JSON object. Raises ValueError if it has no field for them."""
    value = json.loads(text)
    name = next((name for name in _JSON_FIELDS if isinstance(value, dict) and name in value), None)
    if name is None:
        raise ValueError("no captions")
    captions = cleaned(value[name] if isinstance(value[name], list) else [value[name]])
    for caption in captions:
        caption.encode("utf-8")  # JSON can hold half a surrogate pair, which is no text
    return captions
