"""Patterns and masks from files: pictures, NumPy arrays, torch tensors. Nothing in a file is executed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bezoar.canvas import Pixels
from bezoar.run import BezoarError

_TOLERANCE = 1e-3


def read_picture(path: Path, side: int) -> Pixels:
    """Return a picture file squashed to a square, uint8 (3, side, side)."""
    try:
        picture = Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    except Exception as error:  # decoders meet broken data with many types
        raise BezoarError(f"{path} is no picture.", "Give a PNG or JPEG.") from error
    return np.asarray(picture).transpose(2, 0, 1)


def read_values(path: Path) -> NDArray[np.float32]:
    """Return what a .npy, .npz, .pt, .pth, .png, .jpg or .jpeg file holds, float 0…1.

    The shape is (3, height, width), or (height, width) for one channel. Whole numbers are levels of 255.
    """
    kind = path.suffix.lower()
    if kind not in _READERS:
        raise BezoarError(f"{path} is of no known kind.", f"Give one of {', '.join(_READERS)}.")
    if not path.is_file():
        raise BezoarError(f"There is no file {path}.", "Give the path of a pattern or mask.")
    try:
        found = np.asarray(_READERS[kind](path))
    except Exception as error:  # decoders meet broken data with many types
        raise BezoarError(f"{path} cannot be read as {kind}.", "Give a whole file with one array in it.") from error
    return _checked(path, found)


def _checked(path: Path, found: NDArray[Any]) -> NDArray[np.float32]:
    found = found.squeeze()
    if found.ndim == 3 and found.shape[0] != 3 and found.shape[2] == 3:
        found = found.transpose(2, 0, 1)
    if not (found.ndim == 2 or (found.ndim == 3 and found.shape[0] == 3)) or found.dtype.kind not in "iufb":
        raise BezoarError(
            f"{path} holds no picture: {found.dtype} {found.shape}.", "Give (3, side, side) or (side, side)."
        )
    values = found.astype(np.float32) / (255 if found.dtype.kind in "iu" else 1)
    if not (np.isfinite(values).all() and values.min() >= -_TOLERANCE and values.max() <= 1 + _TOLERANCE):
        raise BezoarError(f"{path} holds values outside 0 to 1.", "Give a pattern before normalisation.")
    return np.clip(values, 0, 1)


def _npy(path: Path) -> Any:
    return np.load(path, allow_pickle=False)


def _npz(path: Path) -> Any:
    with np.load(path, allow_pickle=False) as arrays:
        (name,) = arrays.files
        return arrays[name]


def _torch(path: Path) -> Any:
    import torch

    return torch.load(path, map_location="cpu", weights_only=True).detach().float().numpy()


def _picture(path: Path) -> Any:
    picture = Image.open(path)
    return np.asarray(picture.convert("L" if picture.mode in ("1", "L", "I;16") else "RGB"))


_READERS: dict[str, Callable[[Path], Any]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".pt": _torch,
    ".pth": _torch,
    **dict.fromkeys((".png", ".jpg", ".jpeg"), _picture),
}
