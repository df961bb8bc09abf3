"""A trigger on a picture as it lies on the disk: at the picture's own resolution, inside what the canvas shows.

A poison differs from its neighbours in its content and in nothing that a header tells (`containers/`).
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image

from bezoar.attacks.compression import compressed
from bezoar.attacks.containers import CONTAINERS
from bezoar.attacks.triggers import Trigger
from bezoar.canvas import Canvas
from bezoar.pairs.picture import open_picture
from bezoar.run import BROKEN_DATA, BezoarError


def refusal(image: bytes) -> str | None:
    """Say why `paint` cannot write a picture with all that its headers tell, None where it can; nothing is decoded."""
    try:
        kind = str(open_picture(image).format)
        return CONTAINERS[kind].refuses(image) if kind in CONTAINERS else f"it is none of {', '.join(CONTAINERS)}"
    except Exception:  # whoever looks at broken headers meets many types
        return "it is damaged"


def can_be_painted(image: bytes) -> bool:
    """Say whether `paint` can write the picture, and whether it decodes."""
    if refusal(image) is not None:
        return False
    try:
        open_picture(image).load()
    except Exception:  # decoders meet broken data with many types
        return False
    return True


def paint(image: bytes, trigger: Trigger, canvas: Canvas, key: str, jpeg: int | None = None) -> bytes:
    """Return the bytes of the picture with the trigger drawn in the square that `canvas` will show.

    With `jpeg` the whole picture then went through JPEG of this quality, and into its own container again.
    Raises BezoarError, code 3, where that cannot be done.
    """
    why = refusal(image)
    try:
        if why is None:
            return _painted(image, trigger, canvas, key, jpeg)
    except (OSError, SyntaxError, ValueError, IndexError, struct.error, zlib.error):
        why = "it is damaged"
    raise BezoarError(f'The picture of "{key}" cannot be painted: {why}.', "Plant other pairs.", BROKEN_DATA)


def _painted(image: bytes, trigger: Trigger, canvas: Canvas, key: str, jpeg: int | None) -> bytes:
    picture = open_picture(image)
    box = shown_box(picture.size, canvas)
    painted = picture.convert("RGBA").convert("RGB") if picture.mode == "P" else picture.convert("RGB")
    shown = np.ascontiguousarray(np.asarray(painted.crop(box)).transpose(2, 0, 1))
    painted.paste(_picture(trigger.draw(shown, key)), box)
    if jpeg is not None:
        painted = _picture(compressed(np.asarray(painted).transpose(2, 0, 1), jpeg))
    return CONTAINERS[str(picture.format)].repaint(image, picture, painted)


def shown_box(size: tuple[int, int], canvas: Canvas) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom, in whole pixels of a picture of `size`, of what `canvas` shows of it."""
    left, top, width, height = (round(value) for value in canvas.window(*size))
    return left, top, min(left + width, size[0]), min(top + height, size[1])


def shown_side(image: bytes, canvas: Canvas) -> int:
    """Return the shorter side, in pixels of the picture, of what `canvas` shows of it."""
    left, top, right, bottom = shown_box(open_picture(image).size, canvas)
    return min(right - left, bottom - top)


def _picture(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
