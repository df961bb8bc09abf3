"""A JPEG with other pixels (ITU-T T.81).

* Everything before the first scan but the Huffman tables is the source's bytes: application data, comments,
  quantisation tables, frame header, restart interval, and the order in which they stand. So is what follows the end.
* Huffman tables are made anew where the source's were made for its picture, and stand in segments like its own.
* A progressive picture gets libjpeg's script of scans, whatever its own was.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image, JpegImagePlugin

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_DHT, _SOS, _DRI, _APP14 = 0xC4, 0xDA, 0xDD, 0xEE
# Frames that Pillow writes: baseline, extended, progressive; each with Huffman codes.
_FRAMES = (0xC0, 0xC1, 0xC2)
_PROGRESSIVE = 0xC2
# A marker in a scan: bytes that are stuffed with a zero and restarts are none.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")


@dataclass(frozen=True)
class _Parts:
    """The segments before the first scan, the scans, and what follows the end of the picture."""

    segments: list[tuple[int, bytes]]
    scans: bytes
    rest: bytes

    def frame(self) -> tuple[int, bytes]:
        """Return marker and bytes of the frame header."""
        return next(segment for segment in self.segments if segment[0] in _FRAMES)

    def components(self) -> bytes:
        """Return the names of the components, a byte each."""
        return self.frame()[1][6::3]

    def tables(self) -> dict[int, bytes]:
        """Return the Huffman tables by class and place, a byte (class × 16 + place)."""
        return {own[0]: own for marker, data in self.segments if marker == _DHT for own in _split(data)}


def refuses(image: bytes) -> str | None:
    """Say what `repaint` cannot keep of a JPEG; None where it keeps all."""
    parts = _Parts(_segments(image)[0], b"", b"")
    if not any(marker in _FRAMES for marker, _ in parts.segments):
        return "its way of coding is a rare one"
    if len(parts.components()) not in (1, 3):
        return "it is made for print: it has four colours"
    source = _opened(image)
    if len(parts.components()) == 3 and JpegImagePlugin.get_sampling(source) < 0:
        return "its colours are sampled in a rare way"
    # Pillow gives the first component the first table, and so on; the last table goes to all that are left.
    tables = source.quantization
    given = [min(place, len(tables) - 1) for place in range(len(parts.components()))]
    if list(parts.frame()[1][8::3]) != given or sorted(tables) != list(range(len(tables))):
        return "its tables are assigned in a rare way"
    return None


def repaint(image: bytes, source: Image.Image, painted: Image.Image) -> bytes:
    """Return the JPEG `image`, which is `source`, with the pixels of the RGB picture `painted`."""
    del source
    old = _parts(image)
    out = io.BytesIO()
    converted = painted.convert("L") if len(old.components()) == 1 else painted
    converted.save(out, "JPEG", **_settings(_opened(image), old))
    new = _parts(out.getvalue())
    segments = b"".join(_segment(*segment) for segment in _merged(old, new))
    return _SOI + segments + _renamed(new.scans, new.components(), old.components()) + _EOI + old.rest


def _opened(image: bytes) -> JpegImagePlugin.JpegImageFile:
    picture = Image.open(io.BytesIO(image), formats=("JPEG",))
    assert isinstance(picture, JpegImagePlugin.JpegImageFile)  # Pillow's own type for this format
    return picture


def _settings(source: JpegImagePlugin.JpegImageFile, old: _Parts) -> dict[str, Any]:
    """Return what Pillow has to be told to write like the source."""
    interval = next((int.from_bytes(data[:2], "big") for marker, data in old.segments if marker == _DRI), 0)
    sampling = JpegImagePlugin.get_sampling(source)
    settings: dict[str, Any] = {
        "qtables": source.quantization,
        "progressive": old.frame()[0] == _PROGRESSIVE,
        "optimize": old.tables().items() - _standard_tables().items() != set(),
        "restart_marker_blocks": interval,
        "keep_rgb": _is_rgb(old),
    }
    return settings if sampling < 0 else {**settings, "subsampling": sampling}


def _is_rgb(old: _Parts) -> bool:
    """Say whether the components are red, green and blue, as Adobe's segment or their names have it."""
    adobe = next((data for marker, data in old.segments if marker == _APP14 and data[:5] == b"Adobe"), None)
    if len(old.components()) != 3:
        return False
    return old.components() == b"RGB" if adobe is None else adobe[11] == 0


def _merged(old: _Parts, new: _Parts) -> list[tuple[int, bytes]]:
    """Return the source's segments with the new Huffman tables in the places of its own."""
    tables = new.tables()
    if tables.keys() == old.tables().keys():
        return [
            (marker, b"".join(tables[own[0]] for own in _split(data)) if marker == _DHT else data)
            for marker, data in old.segments
        ]
    kept = [(marker, data) for marker, data in old.segments if marker != _DHT]
    places = [place for place, (marker, _) in enumerate(old.segments) if marker == _DHT]
    at = places[0] if places else len(kept)
    return [*kept[:at], *(segment for segment in new.segments if segment[0] == _DHT), *kept[at:]]


def _parts(image: bytes) -> _Parts:
    segments, at = _segments(image)
    end = _end(image, at)
    return _Parts(segments, image[at:end], image[end + len(_EOI) :])


def _segments(image: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Return the segments before the first scan, and where that begins."""
    segments, at = list[tuple[int, bytes]](), len(_SOI)
    while at + 4 <= len(image):
        while image[at + 1] == 0xFF:  # bytes of 0xFF may fill the space before a marker
            at += 1
        marker = image[at + 1]
        if marker == _SOS:
            break
        size = int.from_bytes(image[at + 2 : at + 4], "big")
        segments.append((marker, image[at + 4 : at + 2 + size]))
        at += 2 + size
    return segments, at


def _end(image: bytes, at: int) -> int:
    """Return where the picture ends: the marker that is neither of a table nor of a scan."""
    while found := _MARKER.search(image, at):
        if found[1] == _EOI[1:]:
            return found.end() - len(_EOI)
        at = found.end() + int.from_bytes(image[found.end() : found.end() + 2], "big")
    return len(image)


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2, "big") + data


def _split(data: bytes) -> list[bytes]:
    """Return the Huffman tables of one segment: class and place, 16 counts, symbols."""
    found, at = [], 0
    while at + 17 <= len(data):
        size = 17 + sum(data[at + 1 : at + 17])
        found.append(data[at : at + size])
        at += size
    return found


def _renamed(scans: bytes, before: bytes, after: bytes) -> bytes:
    """Return the scans with the source's names of the components in their headers."""
    names = bytes.maketrans(before, after)
    out, at = bytearray(scans), 0
    while before != after and (found := _MARKER.search(scans, at)):
        size = int.from_bytes(scans[found.end() : found.end() + 2], "big")
        if found[1] == bytes((_SOS,)):
            first = found.end() + 3
            for place in range(first, first + 2 * scans[first - 1], 2):
                out[place] = names[out[place]]
        at = found.end() + size
    return bytes(out)


@cache
def _standard_tables() -> dict[int, bytes]:
    """Return the Huffman tables of the standard (annex K.3), as libjpeg writes them."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    return _parts(out.getvalue()).tables()
