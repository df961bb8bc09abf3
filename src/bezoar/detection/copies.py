"""Copies: pairs whose picture, or whose caption, is that of another pair.

* One picture is the same pixels, or nearly the same: encoded again, a little brighter, cut at the edges. Where there
  are vectors, those of two copies must lie nearer to each other than nine of ten pairs' do.
* One caption is the same letters and digits: case, punctuation and spacing play no part.
* A copy is no poison by itself. But some hundred near-copies of one picture with one caption act as a backdoor that
  nobody planted (798 in CC3M: Huang et al., ICLR 2025, arXiv 2502.01385).
* Like pictures are found by sorting: by the 64 bits of their prints, by the same bits turned by 8, 16 …, and by these
  within each caption; only those that come to lie within 16 places are compared. Time is n log n, and memory a few
  hundred bytes a pair.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.neighbours import Indices, Table, chunks
from bezoar.detection.prints import Prints
from bezoar.run import random

Kind = Literal["near-copies", "one-picture", "one-caption"]

# Among 2,000 to 3,000 photographs of 32 or 64 pixels two unrelated ones hardly ever reach 0.85; of copies that were cut
# by up to 4 % on each side, made brighter or darker and encoded again, 96 % or more do. Drawn scenes are more alike.
ALIKE = 0.9
ALIKE_WITH_ONE_CAPTION = 0.85
# What joins a cluster through others must still look like the cluster.
LIKE_THE_REST = 0.8
NEARER_THAN = 0.9
# Captions that fewer pairs share are ordinary.
FEWEST_OF_ONE_CAPTION = 20
_BRIGHTNESS, _COLOUR = 48, 24
_MOST_BITS = 20
_WINDOW = 16
_TURNS = range(0, 64, 8)
_CHUNK = 1 << 16
_VECTORS_AT_ONCE = 1 << 12
_RANDOM_PAIRS = 4096


@dataclass(frozen=True)
class Cluster:
    """Pairs that share a picture or a caption.

    `near-copies`: one picture, and more than half with one caption; `one-picture`: with varied captions (a placeholder
    behind dead links); `one-caption`: varied pictures with one caption (boilerplate). `members` are positions,
    ascending; `captions` counts different ones; `caption` is the position of a pair with the commonest.
    """

    kind: Kind
    members: Indices
    captions: int
    caption: int


@dataclass(frozen=True)
class Copies:
    """What n pairs share.

    `duplicate_of` (n,): position of the first pair of the same picture, −1 for that one and for all others. `copied`
    (n,): another pair has the same picture and the same caption. `cluster` (n,): place in `clusters`, which lie
    largest first, or −1.
    """

    duplicate_of: Indices
    copied: NDArray[np.bool_]
    cluster: Indices
    clusters: tuple[Cluster, ...]

    def of_kind(self, kind: Kind) -> list[Cluster]:
        """Return the clusters of one kind, largest first."""
        return [cluster for cluster in self.clusters if cluster.kind == kind]


def find_copies(prints: Prints, captions: Sequence[str], vectors: Table | None = None, *, seed: int = 0) -> Copies:
    """Find the copies among n pairs by their pictures' prints, their captions, and image vectors (n, d) if any."""
    wording = wordings(captions)
    picture = _pictures(prints, wording, _Nearness.of(vectors, seed))
    first = _first_of(picture)[picture]
    duplicate_of = np.where(first == np.arange(len(first)), -1, first)
    both = _numbered(picture, wording)
    clusters = sorted(_clusters(picture, wording), key=lambda one: (-len(one.members), int(one.members[0])))
    cluster = np.full(len(first), -1, np.int64)
    for place, one in enumerate(clusters):
        cluster[one.members] = place
    return Copies(duplicate_of, np.bincount(both)[both] > 1, cluster, tuple(clusters))


def normalised(caption: str) -> str:
    """Return the letters and digits of a caption, lower case, words one space apart.

    A caption without any (a row of dots, an emoji) stays as it is but for its spacing.
    """
    plain = unicodedata.normalize("NFKC", caption).casefold()
    words = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in plain).split()
    return " ".join(words or plain.split())


def wordings(captions: Sequence[str]) -> Indices:
    """Return a number (n,) for each caption: equal where the normalised captions are."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(normalised(caption), len(numbers)) for caption in captions], np.int64)


def _clusters(picture: Indices, wording: Indices) -> Iterator[Cluster]:
    sizes = np.bincount(picture)
    for members in _groups(picture, sizes[picture] > 1):
        numbers, firsts, counts = np.unique(wording[members], return_index=True, return_counts=True)
        common = int(counts.argmax())
        kind: Kind = "near-copies" if 2 * counts[common] > len(members) else "one-picture"
        yield Cluster(kind, members, len(numbers), int(members[firsts[common]]))
    alone = sizes[picture] == 1
    shared = np.bincount(wording, alone)[wording] >= FEWEST_OF_ONE_CAPTION
    for members in _groups(wording, alone & shared):
        yield Cluster("one-caption", members, 1, int(members[0]))


def _pictures(prints: Prints, wording: Indices, nearness: _Nearness) -> Indices:
    """Return a number (n,) for each picture, equal for copies."""
    _, exact = np.unique(prints.digest, return_inverse=True)
    group = exact.astype(np.int64)
    detailed = ~prints.plain
    rows = np.flatnonzero(detailed & _is_first(exact))
    rows_by_caption = np.flatnonzero(detailed & _is_first(_numbered(exact, wording)))
    for turn in _TURNS:
        bits = _turned(prints.bits, turn)
        orders = (
            rows[np.argsort(bits[rows], kind="stable")],
            rows_by_caption[np.lexsort((bits[rows_by_caption], wording[rows_by_caption]))],
        )
        for order in orders:
            pairs = [nearby[_alike(prints, wording, nearness, nearby)] for nearby in _nearby(prints.bits, group, order)]
            group = _joined(group, np.concatenate(pairs)) if pairs else group
    return _without_strangers(prints, group, exact)


def _nearby(bits: NDArray[np.uint64], group: Indices, order: Indices) -> Iterator[Indices]:
    """Yield pairs (p, 2) that lie close in the order, differ in few bits, and are not yet known for copies."""
    for step in range(1, min(_WINDOW, len(order) - 1) + 1):
        one, other = order[:-step], order[step:]
        few = _ones(bits[one] ^ bits[other]) <= _MOST_BITS
        found = np.flatnonzero(few & (group[one] != group[other]))
        for start in range(0, len(found), _CHUNK):
            part = found[start : start + _CHUNK]
            yield np.stack([one[part], other[part]], axis=1)


def _alike(prints: Prints, wording: Indices, nearness: _Nearness, pairs: Indices) -> NDArray[np.bool_]:
    one, other = pairs.T
    a, b = prints.tones[one].astype(np.float32), prints.tones[other].astype(np.float32)
    cosine = np.einsum("nd,nd->n", a, b) / 127**2
    colours = np.abs(prints.colour[one] - prints.colour[other]) <= (_BRIGHTNESS, _COLOUR, _COLOUR)
    bar = np.where(wording[one] == wording[other], ALIKE_WITH_ONE_CAPTION, ALIKE)
    alike = (cosine >= bar) & colours.all(axis=1)
    alike[alike] = nearness.holds(one[alike], other[alike])
    return np.asarray(alike)


@dataclass(frozen=True)
class _Nearness:
    """Whether two pictures' vectors lie nearer than those of most pairs; without vectors, always."""

    vectors: Table | None
    bar: float

    @staticmethod
    def of(vectors: Table | None, seed: int) -> _Nearness:
        if vectors is None or len(vectors) < 2:
            return _Nearness(None, 0.0)
        one, other = random(seed, "copies", len(vectors)).integers(len(vectors), size=(2, _RANDOM_PAIRS))
        differ = one != other
        return _Nearness(vectors, float(np.quantile(_cosines(vectors, one[differ], other[differ]), NEARER_THAN)))

    def holds(self, one: Indices, other: Indices) -> NDArray[np.bool_]:
        if self.vectors is None:
            return np.ones(len(one), np.bool_)
        return np.asarray(_cosines(self.vectors, one, other) >= self.bar)


def _cosines(vectors: Table, one: Indices, other: Indices) -> NDArray[np.float32]:
    found = np.empty(len(one), np.float32)
    for part in chunks(len(one), _VECTORS_AT_ONCE):
        a, b = (np.asarray(vectors[rows[part]], np.float32) for rows in (one, other))
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        found[part] = np.einsum("nd,nd->n", a, b) / np.where(lengths > 0, lengths, 1.0)
    return found


def _without_strangers(prints: Prints, group: Indices, exact: Indices) -> Indices:
    """Let those leave who joined a group through others, and look unlike its mean."""
    sizes = np.bincount(group[_is_first(exact)])
    rows = np.flatnonzero(sizes[group] > 2)
    if not len(rows):
        return group
    numbers, place = np.unique(group[rows], return_inverse=True)
    mean = np.zeros((len(numbers), prints.tones.shape[1]), np.float32)
    np.add.at(mean, place, prints.tones[rows].astype(np.float32))
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-6)
    likeness = np.einsum("nd,nd->n", prints.tones[rows].astype(np.float32), mean[place]) / 127
    strangers = rows[likeness < LIKE_THE_REST]
    left = group.copy()
    left[strangers] = group.max() + 1 + exact[strangers]
    return np.unique(left, return_inverse=True)[1].astype(np.int64)


def _joined(group: Indices, pairs: Indices) -> Indices:
    from scipy.sparse import coo_array  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    one, other = group[pairs].T
    size = int(group.max()) + 1
    links = coo_array((np.ones(len(pairs), np.int8), (one, other)), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1].astype(np.int64)[group])


def _ones(bits: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count the bits that are set, (n,). numpy has bitwise_count from 2.0 on only."""
    return np.asarray(_ones_of_bytes()[np.ascontiguousarray(bits).view(np.uint8)].reshape(-1, 8).sum(axis=1))


@cache
def _ones_of_bytes() -> NDArray[np.uint8]:
    return np.asarray(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1), np.uint8)


def _turned(bits: NDArray[np.uint64], turn: int) -> NDArray[np.uint64]:
    return bits if turn == 0 else (bits << np.uint64(turn)) | (bits >> np.uint64(64 - turn))


def _numbered(one: Indices, other: Indices) -> Indices:
    """Return a number (n,) for each combination of two."""
    both = one * (int(other.max(initial=0)) + 1) + other
    return np.asarray(np.unique(both, return_inverse=True)[1], np.int64)


def _first_of(group: Indices) -> Indices:
    """Return the first position of each number."""
    return np.unique(group, return_index=True)[1].astype(np.int64)


def _is_first(group: Indices) -> NDArray[np.bool_]:
    first = np.zeros(len(group), np.bool_)
    first[_first_of(group)] = True
    return first


def _groups(group: Indices, chosen: NDArray[np.bool_]) -> list[Indices]:
    """Return the positions of each number among the chosen, ascending."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return []
    order = rows[np.argsort(group[rows], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
