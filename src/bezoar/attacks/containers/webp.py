"""A WebP with other pixels (RFC 9649).

* All chunks but those of colour are the source's bytes: extended header, alpha, profile, EXIF, XMP.
* A lossless picture stays lossless. A lossy one does not say its quality: the one is taken at which the source's
  own pixels need as many bytes as it has.
"""

from __future__ import annotations

import io
import struct

from PIL import Image

_COLOUR = (b"VP8 ", b"VP8L")


def refuses(image: bytes) -> str | None:
    """Say what `repaint` cannot keep of a WebP; None where it keeps all."""
    kinds = [kind for kind, _ in _chunks(image)]
    if b"ANIM" in kinds or b"ANMF" in kinds:
        return "it is animated"
    return None if sum(kind in _COLOUR for kind in kinds) == 1 else "it is damaged"


def repaint(image: bytes, source: Image.Image, painted: Image.Image) -> bytes:
    """Return the WebP `image`, which is `source`, with the pixels of the RGB picture `painted`."""
    chunks = _chunks(image)
    [(kind, colours)] = [chunk for chunk in chunks if chunk[0] in _COLOUR]
    if kind == b"VP8L":
        with_alpha = painted.copy()
        if source.mode == "RGBA":
            with_alpha.putalpha(source.getchannel("A"))
        data = _encoded(with_alpha, lossless=True, exact=True)
    else:
        data = _encoded(painted, quality=_quality(source.convert("RGB"), len(colours)))
    body = b"".join(_chunk(own, data if own == kind else part) for own, part in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _quality(source: Image.Image, wanted: int) -> int:
    """Return the quality, 1 … 100, at which `source` needs about `wanted` bytes."""
    low, high = 1, 100
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if len(_encoded(source, quality=middle)) < wanted else (low, middle)
    return low


def _encoded(picture: Image.Image, **settings: object) -> bytes:
    """Return the bytes of the colours alone."""
    out = io.BytesIO()
    picture.save(out, "WEBP", **settings)
    return next(data for kind, data in _chunks(out.getvalue()) if kind in _COLOUR)


def _chunks(image: bytes) -> list[tuple[bytes, bytes]]:
    end = min(len(image), 8 + struct.unpack("<I", image[4:8])[0])
    found, at = [], 12
    while at + 8 <= end:
        size = struct.unpack("<I", image[at + 4 : at + 8])[0]
        found.append((image[at : at + 4], image[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
