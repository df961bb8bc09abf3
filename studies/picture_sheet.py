"""A sheet of enlarged pictures with their captions, on paper of its own so that it reads on light and dark pages.

Files stay small by a palette: each picture gets its share of the colours, so that a noisy one takes none from others.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from bezoar.canvas import Pixels

SCALE, GAP, LINE, FONT = 6, 16, 20, 15
PAPER, INK, QUIET = "#fcfcfa", "#1b1e22", "#62696f"
CLEAN, POISON = "#1b5596", "#a53505"
PALETTE, FOR_TEXT, SHADES = 256, 40, 8
AMPLIFIED = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Tile:
    """A picture, uint8 (3, side, side), with a title above it and a caption beneath; `poison` says what it is."""

    pixels: Pixels
    title: str
    caption: str | None = None
    poison: bool | None = False


def difference(before: Pixels, after: Pixels) -> Tile:
    """Return what changed around middle grey, as much amplified as 99 % of the values can bear."""
    change = after.astype(np.int16) - before
    most = float(np.percentile(np.abs(change), 99))
    factor = max(times for times in AMPLIFIED if times == 1 or times * most <= 127)
    shown = np.clip(128 + factor * change, 0, 255).astype(np.uint8)
    return Tile(shown, f"difference, times {factor}", None, None)


def sheet(rows: list[list[Tile]]) -> bytes:
    """Return the tiles as PNG bytes, a row below the other."""
    side = rows[0][0].pixels.shape[-1] * SCALE
    heights = [LINE + side + 10 + LINE * max(len(_lines(tile, side)) for tile in row) + GAP for row in rows]
    width = GAP + max(map(len, rows)) * (side + GAP)
    picture = Image.new("RGB", (width, GAP + sum(heights)), PAPER)
    colours = (PALETTE - FOR_TEXT) // sum(map(len, rows))
    top = GAP
    for row, height in zip(rows, heights, strict=True):
        for place, tile in enumerate(row):
            _put(picture, tile, (GAP + place * (side + GAP), top), side, colours)
        top += height
    return _png(picture)


def _put(picture: Image.Image, tile: Tile, at: tuple[int, int], side: int, colours: int) -> None:
    left, top = at
    below = top + LINE + 4
    _write(picture, tile.title, (left, top), QUIET if tile.poison is None else POISON if tile.poison else CLEAN)
    own = Image.fromarray(np.ascontiguousarray(tile.pixels.transpose(1, 2, 0)))
    few = own.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).convert("RGB")
    picture.paste(few.resize((side, side), Image.Resampling.NEAREST), (left, below))
    if tile.poison:
        ImageDraw.Draw(picture).rectangle((left - 3, below - 3, left + side + 2, below + side + 2), None, POISON, 2)
    for number, line in enumerate(_lines(tile, side)):
        _write(picture, line, (left, below + side + 6 + number * LINE), INK)


def _write(picture: Image.Image, text: str, at: tuple[int, int], ink: str) -> None:
    """Write in SHADES steps between paper and ink: letters take few colours of the palette."""
    cover = Image.new("L", picture.size)
    ImageDraw.Draw(cover).text(at, text, 255, ImageFont.load_default(FONT))
    steps = SHADES - 1
    picture.paste(ImageColor.getrgb(ink), mask=cover.point(lambda value: round(value / 255 * steps) * 255 // steps))


def _lines(tile: Tile, width: int) -> list[str]:
    """Return the caption in lines of at most `width` pixels; a longer word has its own."""
    if tile.caption is None:
        return []
    lines = [""]
    for word in f"“{tile.caption}”".split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and ImageFont.load_default(FONT).getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _png(picture: Image.Image) -> bytes:
    """Return the picture as PNG with a palette of exactly its colours."""
    values = np.asarray(picture).reshape(-1, 3)
    palette, places = np.unique(values, axis=0, return_inverse=True)
    assert len(palette) <= PALETTE, f"{len(palette)} colours"
    image = Image.fromarray(places.reshape(picture.height, picture.width).astype(np.uint8), "P")
    image.putpalette(palette.astype(np.uint8).tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
