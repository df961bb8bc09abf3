"""A trigger on a picture as it lies on the disk: at the picture's own resolution, inside what the canvas shows.

Container, pixel dimensions, mode, quantisation tables, subsampling and metadata stay the source's, so that a
poison differs from its neighbours in its content and in nothing else that a header tells. Only a lossless source
gives a lossless poison.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

from bezoar.attacks.triggers import Trigger
from bezoar.canvas import Canvas
from bezoar.pairs.picture import open_picture
from bezoar.run import BROKEN_DATA, BezoarError


def can_be_painted(image: bytes) -> bool:
    """Say whether the picture decodes and is of a container that `paint` writes."""
    try:
        picture = open_picture(image)
        picture.load()
    except Exception:  # decoders meet broken data with many types
        return False
    return picture.format in _SAVING


def paint(image: bytes, trigger: Trigger, canvas: Canvas, key: str) -> bytes:
    """Return the bytes of the picture with the trigger drawn in the square that `canvas` will show."""
    if not can_be_painted(image):
        known = ", ".join(_SAVING)
        raise BezoarError(f'The picture of "{key}" cannot be painted.', f"Plant whole {known} pictures.", BROKEN_DATA)
    picture = open_picture(image)
    left, top, width, height = (round(value) for value in canvas.window(*picture.size))
    box = (left, top, left + width, top + height)
    shown = np.asarray(picture.convert("RGB").crop(box)).transpose(2, 0, 1)
    drawn = Image.fromarray(np.ascontiguousarray(trigger.draw(shown, key).transpose(1, 2, 0)), "RGB")
    painted = picture.convert("RGB")
    painted.paste(drawn, box)
    return _encode(painted, picture)


def _encode(painted: Image.Image, source: Image.Image) -> bytes:
    kind = str(source.format)
    keep = {name: source.info[name] for name in ("exif", "icc_profile", "dpi") if name in source.info}
    out = io.BytesIO()
    converted = painted if source.mode in ("RGB", "P", "CMYK") else painted.convert(source.mode)
    converted.save(out, kind, **_SAVING[kind](source), **keep)
    return out.getvalue()


def _jpeg(source: Image.Image) -> dict[str, Any]:
    assert isinstance(source, JpegImagePlugin.JpegImageFile)  # PIL's own type for this format
    sampling = JpegImagePlugin.get_sampling(source)
    settings: dict[str, Any] = {"qtables": source.quantization, "progressive": "progressive" in source.info}
    return settings if sampling < 0 else {**settings, "subsampling": sampling}


_SAVING: dict[str, Any] = {
    "JPEG": _jpeg,
    "PNG": lambda _: {},
    "WEBP": lambda _: {"quality": 90},
}
