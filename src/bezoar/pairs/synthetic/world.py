"""Things in places: described by a seed and a number, painted at any size, written as shards."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bezoar.canvas import Pixels
from bezoar.pairs.synthetic.captions import PROMPTS, TEMPLATES, phrase
from bezoar.pairs.synthetic.scenes import DARK, SCENES, mean_colours, scenes
from bezoar.pairs.synthetic.shapes import OBJECTS, sample
from bezoar.pairs.write import Sample, write_webdataset
from bezoar.run import random, write_bytes, write_json

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 40),
    "orange": (244, 130, 30),
    "yellow": (248, 214, 48),
    "green": (46, 160, 66),
    "blue": (42, 92, 214),
    "purple": (136, 62, 176),
    "pink": (246, 132, 178),
    "brown": (122, 74, 40),
    "black": (34, 34, 40),
    "white": (246, 246, 246),
}
SIZES: dict[str, float] = {"small": 0.28, "middle-sized": 0.35, "large": 0.42}
# Where a texture darkens the object, by place on it in units of its radius.
TEXTURES: dict[str, Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]] = {
    "plain": lambda x, _: np.zeros_like(x, bool),
    "striped": lambda _, y: np.sin(9.0 * y) > 0.25,
    "dotted": lambda x, y: np.hypot(np.mod(x, 0.5) - 0.25, np.mod(y, 0.5) - 0.25) < 0.15,
    "checked": lambda x, y: (np.floor(x * 2.5) + np.floor(y * 2.5)) % 2 > 0,
}
NAMED = {"size": 0.35, "colour": 0.4, "texture": 0.5, "scene": 0.4}
LEAST_CONTRAST = 95.0
_DARK_LINE, _LIGHT_LINE = (24.0, 24.0, 28.0), (240.0, 240.0, 232.0)
_BATCH = 64


@dataclass(frozen=True)
class Thing:
    """One object in one place. Lengths are fractions of the side, `turned` is in radians, `crop` of the free room."""

    object: str
    colour: str
    size: str
    texture: str
    scene: str
    centre: tuple[float, float]
    turned: float
    mirrored: bool
    crop: tuple[float, float]
    said: str


def describe(seed: int, number: int, split: str = "train") -> Thing:
    """Return what pair `number` shows and says."""
    draw = random(seed, "world", split, number)
    shown = OBJECTS[int(draw.integers(len(OBJECTS)))]
    scene = tuple(SCENES)[int(draw.integers(len(SCENES)))]
    colours = visible_colours(scene)
    colour = colours[int(draw.integers(len(colours)))]
    size = tuple(SIZES)[int(draw.integers(len(SIZES)))]
    texture = tuple(TEXTURES)[int(draw.integers(len(TEXTURES)))]
    free = 0.8 * (0.5 - SIZES[size])
    jitter = draw.uniform(-free, free, 2)
    turned, mirrored = draw.uniform(-0.3, 0.3), bool(draw.random() < 0.5)
    crop = draw.random(2)
    named = {part for part, share in NAMED.items() if draw.random() < share}
    words = [
        *([size] if "size" in named else []),
        *([colour] if "colour" in named else []),
        *([texture] if "texture" in named else []),
        shown,
    ]
    place = f" {SCENES[scene]}" if "scene" in named else ""
    said = TEMPLATES[int(draw.integers(len(TEMPLATES)))].format(thing=phrase(words), place=place)
    return Thing(
        shown,
        colour,
        size,
        texture,
        scene,
        (0.5 + float(jitter[0]), 0.5 + float(jitter[1])),
        float(turned),
        mirrored,
        (float(crop[0]), float(crop[1])),
        said,
    )


def paint(thing: Thing, side: int = 40) -> Pixels:
    """Return the picture, uint8 (3, side, side)."""
    return np.asarray(paint_all([thing], side)[0])


def paint_all(things: Sequence[Thing], side: int) -> Pixels:
    """Return the pictures of all things, uint8 (n, 3, side, side); each is what `paint` gives for it alone."""
    out = np.empty((len(things), 3, side, side), np.uint8)
    for start in range(0, len(things), _BATCH):
        out[start : start + _BATCH] = _paint(things[start : start + _BATCH], side)
    return out


@cache
def visible_colours(scene: str) -> tuple[str, ...]:
    """Return the colours that stand out from a scene."""
    mean = mean_colours()[tuple(SCENES).index(scene)]
    return tuple(name for name, rgb in COLOURS.items() if np.linalg.norm(np.array(rgb) - mean) >= LEAST_CONTRAST)


def synthesize(
    folder: Path | str,
    count: int,
    seed: int = 0,
    side: int = 40,
    split: str = "train",
    per_shard: int = 2000,
) -> None:
    """Write `count` pairs as WebDataset shards (png, txt, cls) with classes.json and prompts.txt into `folder`."""
    target = Path(folder)
    write_webdataset(_samples(count, seed, side, split), target, per_shard)
    write_bytes(target / "prompts.txt", "\n".join(PROMPTS).encode() + b"\n")
    write_json(target / "classes.json", list(OBJECTS))


def _samples(count: int, seed: int, side: int, split: str) -> Iterator[Sample]:
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        things = [describe(seed, number, split) for number in numbers]
        for number, thing, pixels in zip(numbers, things, paint_all(things, side), strict=True):
            file = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(file, "PNG", compress_level=1)
            label = str(OBJECTS.index(thing.object)).encode()
            yield (
                f"{split}-{number:07d}",
                [("png", file.getvalue()), ("txt", thing.said.encode()), ("cls", label)],
            )


def _paint(things: Sequence[Thing], side: int) -> Pixels:
    def column(values: list[float]) -> NDArray[np.float32]:
        return np.array(values, np.float32)[:, None, None]

    radius = column([SIZES[thing.size] for thing in things])
    grid = (np.arange(side, dtype=np.float32) + 0.5) / side
    x = (grid[None, None, :] - column([thing.centre[0] for thing in things])) / radius
    y = (grid[None, :, None] - column([thing.centre[1] for thing in things])) / radius
    cos, sin = (column([float(turn(thing.turned)) for thing in things]) for turn in (np.cos, np.sin))
    flip = column([-1.0 if thing.mirrored else 1.0 for thing in things])
    across, down = flip * (cos * x + sin * y), cos * y - sin * x
    kinds = np.array([OBJECTS.index(thing.object) for thing in things], np.int64)
    distance = sample(kinds, across, down) * radius * side
    picture = _backgrounds(things, side)
    lines = np.array([_LIGHT_LINE if thing.scene in DARK else _DARK_LINE for thing in things], np.float32)
    width = max(1.0, side / 40)
    picture = _over(picture, lines[:, None, None, :], 0.5 - (distance - width))
    picture = _over(picture, _filling(things, across, down), 0.5 - distance)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8).transpose(0, 3, 1, 2)


def _over(below: NDArray[np.float32], above: NDArray[np.float32], cover: NDArray[np.float32]) -> NDArray[np.float32]:
    share = np.clip(cover, 0, 1)[..., None]
    return np.asarray(below * (1 - share) + above * share, np.float32)


def _filling(things: Sequence[Thing], across: NDArray[Any], down: NDArray[Any]) -> NDArray[np.float32]:
    colour = np.array([COLOURS[thing.colour] for thing in things], np.float32)
    bright = colour.mean(axis=1, keepdims=True) > 100
    shade = np.where(bright, colour * 0.66, colour * 0.6 + 92)
    marked = np.stack([TEXTURES[thing.texture](x, y) for thing, x, y in zip(things, across, down, strict=True)])
    return np.where(marked[..., None], shade[:, None, None, :], colour[:, None, None, :]).astype(np.float32)


def _backgrounds(things: Sequence[Thing], side: int) -> NDArray[np.float32]:
    drawn, names = scenes(side), tuple(SCENES)
    room = (drawn.shape[2] - side, drawn.shape[1] - side)
    out = np.empty((len(things), side, side, 3), np.float32)
    for row, thing in enumerate(things):
        left, top = (round(share * free) for share, free in zip(thing.crop, room, strict=True))
        out[row] = drawn[names.index(thing.scene), top : top + side, left : left + side]
    return out
