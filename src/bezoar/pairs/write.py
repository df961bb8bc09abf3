"""Writing WebDataset shards that depend on their samples only: headers hold no time and no user."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import IO

from bezoar.pairs.archive import split_name
from bezoar.pairs.row import unsafe
from bezoar.run import writing

Sample = tuple[str, list[tuple[str, bytes]]]


def write_webdataset(samples: Iterable[Sample], folder: Path, per_shard: int = 1000, prefix: str = "") -> list[Path]:
    """Write samples (key, [(extension, bytes), …]) to `folder`/`prefix`00000.tar … and return the paths.

    Every shard appears whole or not at all. Raises ValueError for a key that no reader would give back.
    """
    left = iter(samples)
    known: set[str] = set()
    paths: list[Path] = []
    for first in left:
        path = folder / f"{prefix}{len(paths):05d}.tar"
        with writing(path) as file:
            _write_shard(file, checked(chain([first], islice(left, per_shard - 1)), known))
        paths.append(path)
    return paths


def header(name: str, size: int, like: tarfile.TarInfo | None = None, posix: bool = True) -> bytes:
    """Return the header blocks of a regular file, in the ustar form where it fits, else in GNU's.

    Mode, owner and time are those of `like`, else 0644, nobody's and 0.
    """
    info = tarfile.TarInfo(name)
    info.size = size
    if like is not None:
        info.mode, info.uid, info.gid, info.mtime = like.mode, like.uid, like.gid, int(like.mtime)
        info.uname, info.gname = like.uname, like.gname
    if posix:
        with suppress(ValueError):  # too long a name or too large a number for ustar
            return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """Return the zeros that fill the last block of a member."""
    return bytes(-size % tarfile.BLOCKSIZE)


def end_of_archive(size: int) -> bytes:
    """Return two zero blocks and what fills the last record of an archive of `size` bytes."""
    return bytes(2 * tarfile.BLOCKSIZE + -(size + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE)


def _write_shard(file: IO[bytes], samples: Iterable[Sample]) -> None:
    for key, members in samples:
        for extension, data in members:
            file.write(header(f"{key}.{extension}", len(data)))
            file.write(data)
            file.write(padding(len(data)))
    file.write(end_of_archive(file.tell()))


def checked(samples: Iterable[Sample], known: set[str]) -> Iterator[Sample]:
    """Yield the samples on. Raises ValueError for a key that no reader gives back, or that is in `known`."""
    for key, members in samples:
        extensions = [extension for extension, _ in members]
        names = [split_name(f"{key}.{extension}") for extension in extensions]
        if unsafe(key) or "\0" in key or any(name is None or name[0] != key for name in names):
            raise ValueError(f"not a key: {key!r}")
        if key in known or len(set(extensions)) != len(extensions):
            raise ValueError(f"key twice: {key!r}")
        known.add(key)
        yield key, members
