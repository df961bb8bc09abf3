"""Tar headers for changed and new members: those of a member of the shard, with another name, size or time in them."""

from __future__ import annotations

import re
import tarfile
from typing import IO, Literal

from bezoar.pairs.archive import BLOCK, Member

_TIME = re.compile(rb"\d+ mtime=(\d+(?:\.\d+)?)\n")
# Where the fields of a header begin.
_NAME, _SIZE, _MTIME, _SUM = 0, 124, 136, 148
_Format = Literal[0, 1, 2]
_USTAR: _Format = 0
_GNU: _Format = 1
_PAX: _Format = 2
# The format of headers that begin with a block of this type.
_FORMATS: dict[bytes, _Format] = {b"x": _PAX, b"L": _GNU}


def resized(file: IO[bytes], like: Member, size: int) -> bytes:
    """Return the headers of `like` with another size in them."""
    blocks = _blocks(file, like)
    info = _info(blocks)
    if info.size != like.size:  # the size stands in an extended header, as it does above 8 GB
        info.mtime = time_of(file, like)
        return _written(blocks, info, like.name, size)
    return bytes(blocks[:-BLOCK]) + _patched(blocks[-BLOCK:], {_SIZE: b"%011o" % size})


def renamed(file: IO[bytes], like: Member, name: str, size: int, time: float) -> bytes:
    """Return headers in the style of those of `like`, for another member with this name, size and time."""
    blocks = _blocks(file, like)
    info = _info(blocks)
    raw = name.encode("utf-8", "surrogateescape")
    if len(blocks) > BLOCK or len(raw) > 100 or blocks[345]:
        info.mtime = time
        return _written(blocks, info, name, size)
    fields = {_NAME: raw.ljust(100, b"\0"), _SIZE: b"%011o" % size, _MTIME: b"%011o" % int(time)}
    return _patched(blocks, fields)


def time_of(file: IO[bytes], member: Member) -> float:
    """Return when a member was changed; a fraction of a second only where an extended header has one."""
    blocks = _blocks(file, member)
    extended = _TIME.search(blocks[:-BLOCK])
    return float(extended[1]) if extended and b"." in extended[1] else int(_info(blocks).mtime)


def _blocks(file: IO[bytes], member: Member) -> bytes:
    file.seek(member.start)
    return file.read(member.data - member.start)


def _info(blocks: bytes) -> tarfile.TarInfo:
    return tarfile.TarInfo.frombuf(blocks[-BLOCK:], "utf-8", "surrogateescape")


def _patched(block: bytes, fields: dict[int, bytes]) -> bytes:
    """Return a header with other values, behind which the fields end as they did, and with its sum."""
    out = bytearray(block)
    for place, value in fields.items():
        out[place : place + len(value)] = value
    out[_SUM : _SUM + 8] = b" " * 8
    out[_SUM : _SUM + 8] = b"%06o" % sum(out) + block[_SUM + 6 : _SUM + 8]
    return bytes(out)


def _written(blocks: bytes, info: tarfile.TarInfo, name: str, size: int) -> bytes:
    """Return fresh headers in the format of those that stand there."""
    info.name, info.size = name, size
    plain = _GNU if blocks[-BLOCK:][257:265] == b"ustar  \0" else _USTAR
    for form in (_FORMATS.get(blocks[156:157], plain), _GNU):
        try:
            return info.tobuf(form, "utf-8", "surrogateescape")
        except ValueError:  # too long a name or too large a number for ustar
            continue
    raise AssertionError("GNU's format takes every name and size")
