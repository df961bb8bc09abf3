"""Files that are either whole or not there: written under a temporary name, synced, renamed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bezoar.run.errors import BROKEN_DATA, BezoarError


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing; it appears under its name only once everything is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise BezoarError(
                f"Disk full at {path.name}.",
                "Free space and run the same command: what was finished is kept.",
                BROKEN_DATA,
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with writing(path) as file:
        file.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as readable JSON, atomically. NaN is refused: it is not JSON."""
    write_bytes(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def fingerprint(*parts: Any) -> str:
    """Return a short digest of JSON-like parts, equal for equal parts on every machine."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def stamp(files: Iterable[Path]) -> str:
    """Return a digest of files by name, size and time; those that are not there are passed over."""
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
    return fingerprint(stats)
