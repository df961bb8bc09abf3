"""Decoding pictures from anywhere: a size limit before decoding, few formats, one short phrase a fault."""

from __future__ import annotations

import io

from PIL import Image, UnidentifiedImageError

from bezoar.canvas import Canvas, Pixels
from bezoar.pairs.reasons import DAMAGED_PICTURE, NOT_A_PICTURE, TOO_LARGE, UnreadablePair

LARGEST = 100_000_000
# What web shards hold under .jpg, .png and .webp; the rarer decoders of Pillow stay shut.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


def open_picture(data: bytes) -> Image.Image:
    """Open one picture without decoding it. Raises UnreadablePair."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadablePair(NOT_A_PICTURE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadablePair(TOO_LARGE) from error
    except Exception as error:
        raise UnreadablePair(DAMAGED_PICTURE) from error
    if picture.width * picture.height > LARGEST:
        raise UnreadablePair(TOO_LARGE)
    return picture


def draw(data: bytes, canvas: Canvas) -> Pixels:
    """Decode and draw one picture, uint8 (3, side, side). Raises UnreadablePair."""
    picture = open_picture(data)
    try:
        return canvas.draw(picture)
    # Decoders meet broken data with many types: OSError, SyntaxError, struct.error, IndexError, zlib.error.
    except Exception as error:
        raise UnreadablePair(DAMAGED_PICTURE) from error
