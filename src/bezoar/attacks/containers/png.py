"""A PNG with other pixels (PNG specification, third edition).

* All chunks but IDAT are the source's bytes: depth, palette, interlacing, transparency, text, resolution.
* Each line keeps the filter that its encoder chose, and the stream its deflate level and window.
* The IDAT chunks are as large as the source's; where it has one only, no larger than encoders make them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGBA: 4}
_MODES: dict[int, Literal["L", "RGB", "LA", "RGBA"]] = {_GREY: "L", _RGB: "RGB", _GREY_ALPHA: "LA", _RGBA: "RGBA"}
# First column and line of each pass of Adam7, and the steps to the next.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
# The level behind the two bits that zlib's header keeps of it: fastest, fast, default, best.
_LEVELS = (1, 5, 6, 9)
# What Pillow puts into one IDAT chunk at most.
_LARGEST = 1 << 16
# Colours that are compared with a palette at once.
_AT_ONCE = 1 << 12


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def unit(self) -> int:
        """Bytes from one pixel to the next, as filters count them."""
        return max(1, self.depth * _CHANNELS[self.colour] // 8)

    def passes(self) -> Iterator[tuple[slice, slice, int, int]]:
        """Yield lines, columns, number of lines and bytes a line of every pass that holds a pixel."""
        for left, top, across, down in _ADAM7 if self.interlaced else ((0, 0, 1, 1),):
            width, height = -(-(self.width - left) // across), -(-(self.height - top) // down)
            if width > 0 and height > 0:
                bits = width * self.depth * _CHANNELS[self.colour]
                yield slice(top, None, down), slice(left, None, across), height, -(-bits // 8)


def refuses(image: bytes) -> str | None:
    """Say what `repaint` cannot keep of a PNG; None where it keeps all."""
    chunks, _ = _chunks(image)
    header = _header(chunks)
    if any(kind == b"acTL" for kind, _ in chunks):
        return "it is animated"
    if (header.depth, header.colour) == (16, _GREY):
        return "its grey has 16 bits, which a canvas shows as white"
    return None


def repaint(image: bytes, source: Image.Image, painted: Image.Image) -> bytes:
    """Return the PNG `image`, which is `source`, with the pixels of the RGB picture `painted`."""
    chunks, rest = _chunks(image)
    header = _header(chunks)
    samples = _samples(header, source, painted)
    lines = [_lines(samples[down, across], header.depth) for down, across, _, _ in header.passes()]
    kinds = _filters(_stream(chunks, header), header)
    raw = b"".join(_filtered(own, kind, header.unit) for own, kind in zip(lines, kinds, strict=True))
    data = _deflated(raw, b"".join(part for kind, part in chunks if kind == b"IDAT"), header)
    sizes = [len(part) for kind, part in chunks if kind == b"IDAT"]
    largest = sizes[0] if len(sizes) > 1 else max(_LARGEST, sizes[0])
    new: list[tuple[bytes, bytes]] = [
        (b"IDAT", data[start : start + largest]) for start in range(0, len(data), largest)
    ]
    first = next(place for place, (kind, _) in enumerate(chunks) if kind == b"IDAT")
    others = [chunk for chunk in chunks[first:] if chunk[0] != b"IDAT"]
    return SIGNATURE + b"".join(_chunk(*chunk) for chunk in [*chunks[:first], *new, *others]) + rest


def _chunks(image: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return kind and bytes of every chunk, and what follows the last."""
    found: list[tuple[bytes, bytes]] = []
    at = len(SIGNATURE)
    while at + 8 <= len(image) and (not found or found[-1][0] != b"IEND"):
        size = int.from_bytes(image[at : at + 4], "big")
        found.append((image[at + 4 : at + 8], image[at + 8 : at + 8 + size]))
        at += 12 + size
    return found, image[at:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _header(chunks: list[tuple[bytes, bytes]]) -> _Header:
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    return _Header(width, height, depth, colour, bool(interlace))


def _stream(chunks: list[tuple[bytes, bytes]], header: _Header) -> Bytes:
    """Return the filtered lines of the source, no more than its size asks for."""
    most = sum(height * (stride + 1) for _, _, height, stride in header.passes())
    data = b"".join(part for kind, part in chunks if kind == b"IDAT")
    return np.frombuffer(zlib.decompressobj().decompress(data, most), np.uint8)


def _filters(stream: Bytes, header: _Header) -> list[Bytes]:
    """Return the filter of each line, an array a pass."""
    found, at = [], 0
    for _, _, height, stride in header.passes():
        found.append(stream[at : at + height * (stride + 1) : stride + 1])
        at += height * (stride + 1)
    return found


def _samples(header: _Header, source: Image.Image, painted: Image.Image) -> NDArray[np.uint16]:
    """Return the samples (height, width, channels) that the file stores for `painted`."""
    if header.colour == _PALETTE:
        return _indices(source, painted)[:, :, None].astype(np.uint16)
    out = painted.convert(_MODES[header.colour])
    if header.colour in (_GREY_ALPHA, _RGBA):
        out.putalpha(source.getchannel("A"))
    values = np.asarray(out, np.uint16).reshape(header.height, header.width, -1)
    most = (1 << header.depth) - 1
    # 8 bits are stored as they are; 16 bits hold the value twice; fewer bits hold the nearest they have.
    return (
        values * np.uint16(257) if header.depth == 16 else ((values * np.uint32(most) + 127) // 255).astype(np.uint16)
    )


def _indices(source: Image.Image, painted: Image.Image) -> Bytes:
    """Return the palette index of every pixel: where nothing changed the source's, else the nearest colour's."""
    indices = np.array(source)
    after = np.asarray(painted)
    palette = np.array(source.getpalette("RGB"), np.int32).reshape(-1, 3)
    changed = (np.asarray(source.convert("RGBA"))[:, :, :3] != after).any(axis=2)
    colours, which = np.unique(after[changed], axis=0, return_inverse=True)
    nearest = [
        ((part[:, None, :].astype(np.int32) - palette) ** 2).sum(axis=2).argmin(axis=1)
        for part in np.array_split(colours, 1 + len(colours) // _AT_ONCE)
    ]
    indices[changed] = np.concatenate(nearest)[which.reshape(-1)]
    return indices


def _lines(samples: NDArray[np.uint16], depth: int) -> Bytes:
    """Return the bytes of each line, uint8 (lines, bytes)."""
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        return flat.astype(">u2").view(np.uint8)
    if depth == 8:
        return flat.astype(np.uint8)
    bits = (flat[:, :, None] >> np.arange(depth - 1, -1, -1, dtype=np.uint16)) & 1
    return np.packbits(bits.reshape(len(flat), -1).astype(np.uint8), axis=1)


def _filtered(lines: Bytes, kinds: Bytes, unit: int) -> bytes:
    """Return the lines, each behind the byte of its filter (section 9 of the specification)."""
    above = np.zeros_like(lines)
    above[1:] = lines[:-1]
    left, corner = np.zeros_like(lines), np.zeros_like(lines)
    left[:, unit:], corner[:, unit:] = lines[:, :-unit], above[:, :-unit]
    out = np.empty((len(lines), lines.shape[1] + 1), np.uint8)
    out[:, 0] = kinds
    for kind in np.unique(kinds):
        rows = kinds == kind
        out[rows, 1:] = lines[rows] - _guess(int(kind), left[rows], above[rows], corner[rows])
    return out.tobytes()


def _guess(kind: int, left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    """Return what a filter takes a byte for: nothing, left, above, their average, or Paeth's choice."""
    if kind < 3:
        return (np.zeros_like(left), left, above)[kind]
    a, b, c = left.astype(np.int16), above.astype(np.int16), corner.astype(np.int16)
    if kind == 3:
        return ((a + b) >> 1).astype(np.uint8)
    by_left, by_above, by_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    first = (by_left <= by_above) & (by_left <= by_corner)
    return np.where(first, left, np.where(by_above <= by_corner, above, corner))


def _deflated(raw: bytes, before: bytes, header: _Header) -> bytes:
    """Return the zlib stream of `raw` as the encoder of the stream `before` would have set it."""
    stored = before[2] & 6 == 0  # the first block is not compressed
    level = 0 if stored else _LEVELS[before[1] >> 6]
    strategy = zlib.Z_DEFAULT_STRATEGY if header.colour == _PALETTE else zlib.Z_FILTERED
    window = max(9, 8 + (before[0] >> 4))
    engine = zlib.compressobj(level, zlib.DEFLATED, window, 9, strategy)
    made = engine.compress(raw) + engine.flush()
    # zlib keeps no window of 256 bytes; encoders that name one have no more bytes than that.
    return before[:2] + made[2:] if window == 8 + (before[0] >> 4) or len(raw) <= 256 else made
