"""What a detector can see of a set of pairs: vectors, similarities, pictures, and how to look.

* Everything has one row a pair, in the same order; what does not exist is None.
* Searches for neighbours are made once for each choice of vectors and shared by all detectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bezoar.detection import reference, witnesses
from bezoar.detection.density import Density, Scores, measure
from bezoar.detection.neighbours import Indices, Vectors
from bezoar.detection.patterns import caption_vectors
from bezoar.run import BezoarError

Modality = Literal["image", "text", "joint"]
Form = Literal["raw", "unit"]
PURGED_SHARE = 0.02


@dataclass(frozen=True)
class Look:
    """Which vectors a detector takes, and whether their length counts."""

    modality: Modality = "image"
    form: Form = "raw"


@dataclass(frozen=True)
class Evidence:
    """All there is to see of n pairs.

    `image`, `text`: raw vectors (n, d). `similarity` (n,): cos(picture, own caption), taken from the vectors
    where not given. `view_similarity` (n, v): the same for v views of the picture. `pixels`: uint8
    (n, 3, s, s), array or memory map. `captions`: n strings.
    `k` neighbours and `m` references follow from `max_rate` (see `reference.choose`) where not given.
    """

    image: Vectors | None = None
    text: Vectors | None = None
    similarity: NDArray[np.floating] | None = None
    view_similarity: NDArray[np.floating] | None = None
    pixels: NDArray[np.uint8] | None = None
    captions: Sequence[str] | None = None
    seed: int = 0
    max_rate: float | None = None
    k: int | None = None
    m: int | None = None
    device: str = "cpu"
    _searches: dict[Look, Density] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        sizes = {name: len(value) for name, value in self._given().items()}
        if len(set(sizes.values())) != 1:
            counts = ", ".join(f"{size} of {name}" for name, size in sizes.items()) or "nothing"
            raise BezoarError(f"Not one row for each pair: {counts}.", "Give the same pairs in every table.")

    def __len__(self) -> int:
        return len(next(iter(self._given().values())))

    @cached_property
    def reference(self) -> tuple[int, Indices]:
        """k, and the positions (m,) of the reference sample."""
        k, m = reference.choose(self.max_rate, len(self), k=self.k, m=self.m)
        return k, reference.sample(len(self), m, self.seed)

    @cached_property
    def purged_count(self) -> int:
        """How many references the default takes out: 2 %, as far as k neighbours remain."""
        k, sample = self.reference
        return max(0, min(round(PURGED_SHARE * len(sample)), len(sample) - 1 - k))

    def vectors(self, look: Look) -> Vectors:
        """Return the vectors (n, d) of one look. Joint: each modality by its median length, side by side."""
        if look.modality != "joint":
            vectors = self._need(look.modality)
            return _unit(vectors) if look.form == "unit" else vectors
        tables = [self._need("image"), self._need("text")]
        scaled = [_unit(table) if look.form == "unit" else _by_median_length(table) for table in tables]
        return np.concatenate(scaled, axis=1)

    def search(self, look: Look) -> Density:
        """Return the neighbours of all pairs in the reference, with enough to spare for purging."""
        if look not in self._searches:
            k, sample = self.reference
            self._searches[look] = measure(self.vectors(look), sample, k, device=self.device, spare=self.purged_count)
        return self._searches[look]

    def density(self, look: Look) -> Density:
        """Return the density of all pairs in the reference at k neighbours."""
        return self.search(look).first(self.reference[0])

    def purged_density(self, look: Look) -> Density:
        """Return the density once the 2 % of the reference with the highest SLOF have left it."""
        return self.search(look).purged(self.reference[0], self.purged_count)

    @cached_property
    def fit(self) -> Scores:
        """cos(picture, own caption), (n,)."""
        if self.similarity is not None:
            return np.asarray(self.similarity, np.float64)
        return witnesses.cosines(self._need("image"), self._need("text"))

    @cached_property
    def caption_space(self) -> Vectors:
        """Unit vectors (n, d) that say which captions are alike: of the text tower, or else of the words."""
        if self.text is not None:
            return _unit(self.text)
        if self.captions is None:
            raise BezoarError("There are no captions.", "Give text vectors or captions.")
        return caption_vectors(self.captions)

    def _given(self) -> dict[str, Sequence[str] | Vectors]:
        tables = {
            "image vectors": self.image,
            "text vectors": self.text,
            "similarities": self.similarity,
            "view similarities": self.view_similarity,
            "pictures": self.pixels,
            "captions": self.captions,
        }
        return {name: table for name, table in tables.items() if table is not None}

    def _need(self, modality: Literal["image", "text"]) -> Vectors:
        vectors = self.image if modality == "image" else self.text
        if vectors is None:
            raise BezoarError(f"There are no {modality} vectors.", "Embed the pairs first.")
        return vectors


def _unit(vectors: Vectors) -> NDArray[np.float32]:
    lengths = np.linalg.norm(np.asarray(vectors, np.float32), axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), np.float32)


def _by_median_length(vectors: Vectors) -> NDArray[np.float32]:
    median = float(np.median(np.linalg.norm(np.asarray(vectors, np.float32), axis=1)))
    return np.asarray(vectors, np.float32) / np.float32(median if median > 0 else 1.0)
