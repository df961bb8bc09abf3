"""Pictures that a trigger carries inside itself, so that a plan needs no other file: PNG of 8 bits in base64."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

import numpy as np
from PIL import Image

from bezoar.canvas import Pixels
from bezoar.run import BROKEN_DATA, BezoarError

_MOST_PIXELS = 4096 * 4096


def embed(pixels: Pixels) -> str:
    """Return uint8 (3, height, width) or (height, width) as text."""
    out = io.BytesIO()
    rows = pixels.transpose(1, 2, 0) if pixels.ndim == 3 else pixels
    Image.fromarray(np.ascontiguousarray(rows)).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode("ascii")


@lru_cache(maxsize=32)
def extract(text: str, mode: str = "RGB") -> Pixels:
    """Return the picture that `embed` made text of, (channels, height, width), in Pillow's `mode` RGB or L."""
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"])
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError("too large")
        rows = np.asarray(picture.convert(mode))
    except Exception as error:  # decoders meet broken data with many types
        raise BezoarError("A picture inside the plan's trigger is broken.", "Make it again.", BROKEN_DATA) from error
    return rows[None] if rows.ndim == 2 else rows.transpose(2, 0, 1)


def resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """Return a picture (channels, height, width) at another size: larger by the nearest pixel, smaller by the mean."""
    if pixels.shape[1:] == (height, width):
        return pixels
    planes = [Image.fromarray(plane).resize((width, height), Image.Resampling.BOX) for plane in pixels]
    return np.stack([np.asarray(plane) for plane in planes])
