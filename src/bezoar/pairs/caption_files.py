"""New captions in the file that held the old ones, which otherwise stays as it was written.

White space around the text, the spaces and line breaks of JSON, the order of its fields, and whether it spells
letters beyond ASCII as escapes are the file's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

FIELDS = ("captions", "caption", "text")
_DECODER = json.JSONDecoder()
_WHITE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True)
class _Field:
    """A field of a JSON object and where its value stands."""

    name: str
    value: Any
    start: int
    end: int


def with_text(before: bytes, caption: bytes) -> bytes:
    """Return `caption` with the white space that stood around the text `before`."""
    if not before.strip():
        return caption
    return before[: -len(before.lstrip())] + caption + before[len(before.rstrip()) :]


def with_captions(before: bytes, captions: list[str]) -> bytes:
    """Return the JSON object `before` with other captions: a list takes all of them, a text the first."""
    try:
        text = before.decode("utf-8")
        fields = [field for field in _fields(text) if field.name in FIELDS]
    except (ValueError, IndexError, RecursionError):
        text, fields = "{}", []  # what no reader understands holds no caption
    if not fields:
        return _appended(text, captions[0]).encode()
    for field in reversed(fields):
        is_list = isinstance(field.value, list)
        new = _list(text, field, captions) if is_list else _dumped(captions[0], text)
        text = text[: field.start] + new + text[field.end :]
    return text.encode()


def holds_list(before: bytes) -> bool:
    """Say whether the field of a JSON object that captions are read from is a list."""
    try:
        values = {field.name: field.value for field in _fields(before.decode("utf-8"))}
    except (ValueError, IndexError, RecursionError):
        return False
    return isinstance(next((values[name] for name in FIELDS if name in values), None), list)


def with_key(before: bytes, old: str, new: str) -> bytes:
    """Return the JSON object `before` with the pair's key exchanged where it stands as the value of a field."""
    names = {old: new, old.rpartition("/")[2]: new.rpartition("/")[2]}
    try:
        text = before.decode("utf-8")
        fields = [field for field in _fields(text) if isinstance(field.value, str) and field.value in names]
    except (ValueError, IndexError, RecursionError):
        return before
    for field in reversed(fields):
        text = text[: field.start] + _dumped(names[field.value], text) + text[field.end :]
    return text.encode()


def _fields(text: str) -> Iterator[_Field]:
    """Yield the fields of the object that `text` is. Raises ValueError or IndexError where it is none."""
    at = _skip(text, 0)
    if text[at] != "{":
        raise ValueError("no object")
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)  # behind the colon
        value, end = _DECODER.raw_decode(text, start)
        yield _Field(name, value, start, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    found = _WHITE.match(text, at)
    return found.end() if found else at


def _dumped(value: str, text: str) -> str:
    return json.dumps(value, ensure_ascii=text.isascii())


def _list(text: str, field: _Field, captions: list[str]) -> str:
    """Return the captions as a list that is spaced as the one that stands there."""
    first = _skip(text, field.start + 1)
    opening = text[field.start : first]
    if not field.value:
        return f"[{_between(text).join(_dumped(caption, text) for caption in captions)}]"
    _, after = _DECODER.raw_decode(text, first)
    if len(field.value) > 1:
        between = text[after : _skip(text, _skip(text, after) + 1)]
    else:
        between = f",{opening[1:]}" if len(opening) > 1 else _between(text)
    closing = text[len(text[: field.end - 1].rstrip(" \t\n\r")) : field.end]
    return opening + between.join(_dumped(caption, text) for caption in captions) + closing


def _between(text: str) -> str:
    """Return what stands between two things of a list: a comma, and a space where the file has them."""
    return "," if '":' in text and '": ' not in text else ", "


def _appended(text: str, caption: str) -> str:
    """Return the object `text`, which has no field for captions, with one behind the others."""
    head = text.rstrip()[:-1].rstrip()
    comma = "" if head.endswith("{") else _between(text)
    return f'{head}{comma}"caption":{_between(text)[1:]}{_dumped(caption, text)}{text[len(head) :]}'
