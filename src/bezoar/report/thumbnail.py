"""Pictures for a page: decoded, resized, encoded anew.

* The original bytes and their metadata never reach a page; what is encoded here is pixels and nothing else.
* A canvas smaller than the thumbnail is enlarged pixel by pixel, so that a small trigger stays as it is.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SIDE = 112


def thumbnail(pixels: NDArray[np.uint8] | Image.Image, side: int = SIDE, *, lossless: bool = False) -> bytes:
    """Return a WebP of `side` × `side` pixels (about 1-4 kB at 112).

    `pixels` is a canvas, uint8 (3, s, s), or a Pillow picture, which is cropped to its centre square.
    `lossless` is for pictures whose single pixels are the point, such as an enlarged trigger.
    """
    picture = _picture(pixels)
    if picture.size != (side, side):
        picture = _resized(picture, side)
    # A picture made from an array has no profile, no EXIF and no comment that could travel along.
    bare = Image.fromarray(np.asarray(picture))
    file = io.BytesIO()
    bare.save(file, "WEBP", lossless=lossless, quality=80, method=4)
    return file.getvalue()


def _picture(pixels: NDArray[np.uint8] | Image.Image) -> Image.Image:
    if isinstance(pixels, Image.Image):
        return pixels.convert("RGB")
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[0] != 3:
        raise ValueError(f"A canvas is uint8 (3, s, s), not {pixels.dtype} {pixels.shape}.")
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def _resized(picture: Image.Image, side: int) -> Image.Image:
    square = ImageOps.fit(picture, (min(picture.size),) * 2, Image.Resampling.LANCZOS)
    if square.width < side:
        times = -(-side // square.width)
        square = square.resize((square.width * times,) * 2, Image.Resampling.NEAREST)
    return square.resize((side, side), Image.Resampling.LANCZOS)
