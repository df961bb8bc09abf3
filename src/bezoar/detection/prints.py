"""What remains of a picture to know its copies by: some 120 bytes, whatever its size.

* `digest`: of its very pixels. `bits`: 64 signs of its lowest frequencies (cosine transform; a perceptual hash, Zauner
  2010), alike for pictures that look alike. `tones`: these frequencies themselves and those of its colours, weighted by
  frequency because pictures hold far more of the low ones. `colour`: mean brightness and mean colour.
* Brighter, darker, encoded again or cut at the edges, a picture nearly keeps its bits and tones.
* A picture without detail has no bits worth comparing: it is `plain`, and only its very pixels count.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.neighbours import Indices

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SHAPES = 8
_COLOURS = 4
_WIDTH = _SHAPES**2 + 2 * _COLOURS**2
# The tones of photographs are 20 to 300 grey levels long; those of a grey card that went through JPEG about 5.
PLAIN = 8.0
# Colour values that are worked on together.
_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class Prints:
    """Of n pictures: `digest` uint64 (n,), `bits` uint64 (n,), `tones` int8 (n, 96), a unit vector times 127, `colour`
    int16 (n, 3): mean brightness and two colour differences in grey levels, and `plain` bool (n,)."""

    digest: NDArray[np.uint64]
    bits: NDArray[np.uint64]
    tones: NDArray[np.int8]
    colour: NDArray[np.int16]
    plain: NDArray[np.bool_]

    @staticmethod
    def blank(n: int) -> Prints:
        """Return room for n pictures."""
        return Prints(
            np.zeros(n, np.uint64),
            np.zeros(n, np.uint64),
            np.zeros((n, _WIDTH), np.int8),
            np.zeros((n, 3), np.int16),
            np.ones(n, np.bool_),
        )

    def __len__(self) -> int:
        return len(self.digest)

    def take(self, positions: Indices, pixels: NDArray[np.uint8]) -> None:
        """Note the pictures uint8 (b, 3, s, s) of the pairs at `positions` (b,)."""
        chunk = _chunk(pixels)
        for start in range(0, len(positions), chunk):
            rows, pictures = positions[start : start + chunk], pixels[start : start + chunk]
            self.digest[rows] = [_digest(picture) for picture in pictures]
            frequencies, self.colour[rows] = _frequencies(pictures)
            lengths = np.linalg.norm(frequencies, axis=1)
            self.tones[rows] = np.rint(127 * frequencies / np.maximum(lengths, 1e-6)[:, None])
            self.bits[rows] = _signs(frequencies[:, : _SHAPES**2])
            self.plain[rows] = lengths < PLAIN

    def of(self, positions: Indices) -> Prints:
        """Return the same of some of the pictures."""
        return Prints(
            self.digest[positions],
            self.bits[positions],
            self.tones[positions],
            self.colour[positions],
            self.plain[positions],
        )


def prints_of(pixels: NDArray[np.uint8]) -> Prints:
    """Return the prints of pictures uint8 (n, 3, s, s), array or memory map."""
    prints = Prints.blank(len(pixels))
    prints.take(np.arange(len(pixels)), pixels)
    return prints


def _chunk(pixels: NDArray[np.uint8]) -> int:
    return max(1, _AT_ONCE // max(1, int(np.prod(pixels.shape[1:]))))


def _digest(picture: NDArray[np.uint8]) -> int:
    return int.from_bytes(hashlib.blake2b(picture.tobytes(), digest_size=8).digest(), "little")


def _frequencies(pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Return weighted frequencies (b, 96), brightness first, and the means (b, 3), both in grey levels."""
    pixels = pictures.astype(np.float32)
    luma = np.einsum("bcyx,c->byx", pixels, _LUMA)
    planes = np.stack([luma, pixels[:, 2] - luma, pixels[:, 0] - luma], axis=1)
    across = _waves(planes.shape[-1])
    spectrum = across @ planes @ across.T
    means = np.rint(spectrum[:, :, 0, 0]).astype(np.int16)
    spectrum *= np.hypot(*np.mgrid[:_SHAPES, :_SHAPES]).astype(np.float32)
    shape = spectrum[:, 0].reshape(len(pictures), -1)
    colour = spectrum[:, 1:, :_COLOURS, :_COLOURS].reshape(len(pictures), -1)
    return np.concatenate([shape, colour], axis=1), means


@cache
def _waves(side: int) -> NDArray[np.float32]:
    """Return the eight lowest cosines (8, side) of a line of pixels, so scaled that the first one takes its mean."""
    from scipy.fft import dct  # type: ignore[import-untyped]

    waves = np.zeros((_SHAPES, side), np.float32)
    waves[: min(_SHAPES, side)] = dct(np.eye(side), axis=0, norm="ortho")[:_SHAPES]
    return waves / np.float32(np.sqrt(side))


def _signs(frequencies: NDArray[np.float32]) -> NDArray[np.uint64]:
    above = frequencies > np.median(frequencies[:, 1:], axis=1, keepdims=True)
    return np.packbits(above, axis=1).view(np.uint64)[:, 0]
