from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """Return a function that makes the bytes of a small picture from a number."""

    def make(number: int, form: str = "png", size: tuple[int, int] = (9, 7)) -> bytes:
        pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, form)
        return out.getvalue()

    return make


@pytest.fixture(scope="session")
def tar() -> Callable[..., Path]:
    """Return a function that writes members (name, bytes) with Python's own tarfile."""

    def make(path: Path, members: list[tuple[str, bytes]], form: int = tarfile.GNU_FORMAT, mtime: int = 7) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w", format=form) as archive:
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size, info.mtime, info.uid, info.uname, info.mode = len(data), mtime, 501, "ann", 0o600
                archive.addfile(info, io.BytesIO(data))
        return path

    return make
