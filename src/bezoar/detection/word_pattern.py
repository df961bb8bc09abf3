"""A pattern of pixels that pairs share among those with a word in common: no model says which captions are alike.

* h as in `patterns`: what the 5×5 mean leaves of a picture, less the mean over the set. For each word w of a pair's
  caption, c_w is the cosine of h with the sum of the others' h that have the word, and z_w its distance from the median
  of the word's pairs in units of the median less the 15.9 % quantile. The score is the largest z_w.
* z within a word: what all its pictures share by nature lifts nobody. So a word that stands in planted captions alone
  is no help; a campaign is seen by words that it shares with honest pairs, such as its target's.
* The mirror, the largest −z_w, is what the score would be without a pattern, as far as honest cosines lie as far below
  their middle as above: on clean sets of four kinds the two have equal tails (see docs/scan.md).
* Words count that stand in 20 pairs (one in 10,000 of a larger set) to half of the pairs, at most 8,192 of them.
  Pictures are read twice, in chunks; memory is a pattern a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.copies import normalised
from bezoar.detection.density import Scores
from bezoar.detection.patterns import fine_patterns
from bezoar.run import BezoarError

if TYPE_CHECKING:
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

FEWEST_PAIRS = 20
SMALLEST_SHARE, LARGEST_SHARE = 1e-4, 0.5
MOST_WORDS = 8192
# The normal distribution's share below one standard deviation under the mean.
_BELOW = 0.15865525393145707
_CHUNK = 1024
# Floats of patterns that are multiplied together.
_AT_ONCE = 1 << 23


@dataclass(frozen=True)
class WordPattern:
    """Of n pairs: `score` and `mirror` (n,), and the word behind each score, empty where no word of the pair counts."""

    score: Scores
    mirror: Scores
    word: list[str]


def word_pattern(pixels: NDArray[np.uint8], captions: Sequence[str], *, device: str = "cpu") -> WordPattern:
    """Score pictures uint8 (n, 3, s, s), array or map, by the words of their n captions."""
    if pixels.ndim != 4 or len(pixels) != len(captions):
        raise BezoarError(
            f"Pictures of shape {pixels.shape} and {len(captions)} captions do not belong together.",
            "Give one picture (3, side, side) and one caption for each pair.",
        )
    n = len(pixels)
    vocabulary, rows, columns = _words(captions)
    score, mirror, word = np.full(n, -np.inf), np.full(n, -np.inf), np.full(n, -1)
    if vocabulary:
        cosines = _cosines(pixels, rows, columns, len(vocabulary), device)
        order = np.argsort(columns, kind="stable")
        for entries in np.split(order, np.flatnonzero(np.diff(columns[order])) + 1):
            z = _z(cosines[entries])
            if z is not None:
                pairs = rows[entries]
                higher = z > score[pairs]
                word[pairs[higher]] = columns[entries[0]]
                score[pairs] = np.maximum(score[pairs], z)
                mirror[pairs] = np.maximum(mirror[pairs], -z)
    return WordPattern(_finite(score), _finite(mirror), [vocabulary[one] if one >= 0 else "" for one in word])


def _z(cosines: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return z by the spread below the median: a fifth of a word's pairs may be planted, and lie above."""
    median = np.median(cosines)
    unit = median - np.quantile(cosines, _BELOW)
    return np.asarray((cosines - median) / unit) if unit > 1e-9 else None


def _words(captions: Sequence[str]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Return the words that count, and each occurrence as pair and word, pairs ascending."""
    sets = [sorted(set(normalised(caption).split())) for caption in captions]
    counts = Counter(word for words in sets for word in words)
    fewest = max(FEWEST_PAIRS, SMALLEST_SHARE * len(captions))
    fit = [(word, count) for word, count in counts.items() if fewest <= count <= LARGEST_SHARE * len(captions)]
    vocabulary = sorted(word for word, _ in sorted(fit, key=lambda one: (-one[1], one[0]))[:MOST_WORDS])
    number = {word: place for place, word in enumerate(vocabulary)}
    found = [(row, number[word]) for row, words in enumerate(sets) for word in words if word in number]
    table = np.array(found, np.int64).reshape(-1, 2)
    return vocabulary, table[:, 0], table[:, 1]


def _cosines(
    pixels: NDArray[np.uint8], rows: NDArray[np.int64], columns: NDArray[np.int64], words: int, device: str
) -> NDArray[np.float64]:
    """Return, for each occurrence, the cosine of the pair's pattern with the sum of the others' that have the word."""
    from scipy.sparse import csr_array

    n = len(pixels)
    belongs = csr_array((np.ones(len(rows), np.float32), (columns, rows)), shape=(words, n)).tocsc()
    sums, total = _sums(pixels, belongs, words, device)
    mean = (total / n).astype(np.float32)
    sums -= np.bincount(columns, minlength=words).astype(np.float32)[:, None] * mean
    lengths = np.einsum("wp,wp->w", sums, sums, dtype=np.float64)
    starts = np.searchsorted(rows, np.arange(n + 1))
    cosines = np.empty(len(rows))
    for chunk in _chunks(n):
        patterns = fine_patterns(pixels[chunk], device).cpu().numpy() - mean
        own = np.einsum("np,np->n", patterns, patterns, dtype=np.float64)
        at_once = max(1, _AT_ONCE // patterns.shape[1])
        for start in range(starts[chunk.start], starts[chunk.stop], at_once):
            entries = slice(start, min(start + at_once, starts[chunk.stop]))
            pair, word = rows[entries] - chunk.start, columns[entries]
            product = np.einsum("ep,ep->e", patterns[pair], sums[word]).astype(np.float64)
            # Without the pair itself: s − h for s, h·(s − h) and |s − h|² follow from h·s.
            others = np.maximum(lengths[word] - 2 * product + own[pair], 0.0)
            scale = np.sqrt(others * own[pair])
            cosines[entries] = (product - own[pair]) / np.where(scale > 0, scale, 1.0)
    return cosines


def _sums(
    pixels: NDArray[np.uint8], belongs: csr_array, words: int, device: str
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the sum of the patterns of each word (w, p), and of all pairs (p,)."""
    sums, total = None, None
    for chunk in _chunks(len(pixels)):
        patterns = fine_patterns(pixels[chunk], device).cpu().numpy()
        if sums is None or total is None:
            sums = np.zeros((words, patterns.shape[1]), np.float32)
            total = np.zeros(patterns.shape[1])
        sums += belongs[:, chunk] @ patterns
        total += patterns.sum(axis=0, dtype=np.float64)
    assert sums is not None
    assert total is not None
    return sums, total


def _finite(scores: Scores) -> Scores:
    """Pairs without a word that counts lie with the least suspicious."""
    known = np.isfinite(scores)
    return np.where(known, scores, scores[known].min() if known.any() else 0.0)


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(n, start + _CHUNK)) for start in range(0, n, _CHUNK))
