"""Files kept open between reads.

Reads name their offset, so threads and forked processes may share a handle; it closes with its last user.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from bezoar.pairs.reasons import CHANGED, NO_IMAGE, UnreadablePair

_MOST = 64


class _Handle:
    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


_open: OrderedDict[tuple[str, int, int], _Handle] = OrderedDict()
_lock = Lock()
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def read_at(path: Path, stamp: tuple[int, int], offset: int, size: int) -> bytes:
    """Return `size` bytes at `offset` of a file whose size and mtime in ns are `stamp`.

    Raises UnreadablePair if the file is gone or is not the one that was stamped.
    """
    handle = _handle(path, stamp)
    parts: list[bytes] = []
    while size > 0:
        part = os.pread(handle.number, size, offset)
        if not part:
            raise UnreadablePair(CHANGED)
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _handle(path: Path, stamp: tuple[int, int]) -> _Handle:
    name = (str(path), *stamp)
    with _lock:
        handle = _open.get(name)
        if handle is not None:
            _open.move_to_end(name)
            return handle
    try:
        handle = _Handle(path)
    except OSError as error:
        raise UnreadablePair(NO_IMAGE) from error
    status = os.fstat(handle.number)
    if (status.st_size, status.st_mtime_ns) != stamp:
        raise UnreadablePair(CHANGED)
    with _lock:
        _open[name] = handle
        while len(_open) > _MOST:
            _open.popitem(last=False)
    return handle
