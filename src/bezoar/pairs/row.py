"""One row of the index while it is being built."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass(slots=True)
class Row:
    """What the index knows of one pair; `size` is -1 where there is no picture.

    `file` and `modified` (mtime in ns) are those of a picture that is a file of its own.
    """

    key: str
    row: int
    captions: list[str] = field(default_factory=list)
    offset: int = 0
    size: int = -1
    extension: str = ""
    label: int | None = None
    reason: str | None = None
    file: str | None = None
    modified: int | None = None


def readable(name: str) -> str:
    """Return a name that is valid Unicode: bytes that are not UTF-8 are written as escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def unsafe(name: str) -> bool:
    """Tell whether a name is absolute or leaves its folder."""
    plain = name.replace("\\", "/")
    return plain.startswith("/") or plain[1:2] == ":" or ".." in PurePosixPath(plain).parts
