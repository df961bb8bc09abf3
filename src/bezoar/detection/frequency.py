"""High spatial frequencies: what is pasted on a picture seldom has a photograph's spectrum.

* The spectrum is the orthonormal cosine transform (DCT-II) of each colour channel, in grey levels.
* Zeng et al., ICCV 2021, arXiv 2104.03413, show that many triggers leave their mark in high frequencies, and train a
  network on clean pictures against such with made-up triggers. Nothing is trained here: a picture is compared with
  the spectra of its own set, and a set whose pictures differ in sharpness will show that first.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores

_PICTURES_AT_ONCE = 64

Spectra = NDArray[np.float32]


def high_frequencies(pixels: NDArray[np.uint8]) -> Scores:
    """Return how much more high-frequency energy than usual each picture has, (n,), higher more suspicious.

    `pixels` uint8 (n, 3, s, s), array or map, read twice in small parts. ln(1 + |coefficient|) of each channel is
    standardised over the set, coefficient by coefficient; the score is the mean over the higher half of them, down +
    across >= s. A coefficient that is the same in all pictures says nothing.
    """
    side = pixels.shape[-1]
    total, squares = np.zeros((3, side, side)), np.zeros((3, side, side))
    for _, spectra in _parts(pixels):
        total += spectra.sum(axis=0, dtype=np.float64)
        squares += np.square(spectra, dtype=np.float64).sum(axis=0)
    mean = total / len(pixels)
    deviation = np.sqrt(np.maximum(squares / len(pixels) - mean**2, 0))
    told = (np.add.outer(np.arange(side), np.arange(side)) >= side) & (deviation > 1e-4)
    scores = np.zeros(len(pixels))
    if told.any():
        for rows, spectra in _parts(pixels):
            scores[rows] = ((spectra - mean)[:, told] / deviation[told]).mean(axis=1)
    return scores


def _parts(pixels: NDArray[np.uint8]) -> Iterator[tuple[slice, Spectra]]:
    cosines = _cosines(pixels.shape[-1])
    for start in range(0, len(pixels), _PICTURES_AT_ONCE):
        rows = slice(start, start + _PICTURES_AT_ONCE)
        spectra = cosines @ pixels[rows].astype(np.float32) @ cosines.T
        yield rows, np.log1p(np.abs(spectra))


def _cosines(side: int) -> Spectra:
    """Return the orthonormal DCT-II, (side, side): row f is the cosine of frequency f."""
    places, frequencies = np.arange(side) + 0.5, np.arange(side)[:, None]
    table = np.sqrt(2 / side) * np.cos(np.pi / side * frequencies * places)
    table[0] /= np.sqrt(2)
    return np.asarray(table, np.float32)
