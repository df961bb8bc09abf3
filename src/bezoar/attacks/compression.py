"""A picture through JPEG, as a web pipeline sends it: a trigger that only survives as PNG is no threat in practice."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from bezoar.canvas import Pixels
from bezoar.run import BezoarError


def compressed(pixels: Pixels, quality: int) -> Pixels:
    """Return uint8 (3, height, width) as it comes back from JPEG of `quality` (1…95, libjpeg's scale, 4:2:0)."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)), "RGB").save(buffer, "JPEG", quality=quality)
    return np.ascontiguousarray(np.asarray(Image.open(buffer)).transpose(2, 0, 1))


def checked_quality(quality: int) -> int:
    """Return a JPEG quality that libjpeg takes."""
    if not isinstance(quality, int) or not 1 <= quality <= 95:
        raise BezoarError(f"JPEG has no quality {quality}.", "Choose 1 to 95; web pipelines use 75 to 90.")
    return quality
