"""What a detector can see of a set of pairs: vectors, similarities, pictures, and how to look.

* Everything has one row a pair, in the same order; what does not exist is None.
* Vectors stay where they are, in memory or on disk, and are read by rows. References are prepared once for each choice
  of vectors, and all detectors of one choice share one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bezoar.detection import reference, witnesses
from bezoar.detection.densities import Densities
from bezoar.detection.density import FOUR, Scores
from bezoar.detection.neighbours import Indices, Precision, Table, Vectors, chunks
from bezoar.detection.patterns import caption_vectors
from bezoar.detection.piles import Piles, find_piles
from bezoar.detection.reference import Setting
from bezoar.detection.turned import Turned, median_length
from bezoar.run import BezoarError

if TYPE_CHECKING:
    import torch

Single = Literal["image", "text"]
Modality = Literal["image", "text", "joint"]
Form = Literal["raw", "unit"]
PURGED_SHARE = 0.05
_ROWS_AT_ONCE = 1 << 14

# Pictures float32 (b, 3, s, s) in 0-255 to raw image vectors (b, d), differentiable.
Encode = Callable[["torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class Look:
    """Which vectors a detector takes, and whether their length counts."""

    modality: Modality = "image"
    form: Form = "raw"


@dataclass(frozen=True)
class Evidence:
    """All there is to see of n pairs.

    `image`, `text`: raw vectors (n, d), array, memory map or shards of them (`bezoar.embeddings.Shards`).
    `similarity` (n,): cos(picture, own caption), taken from the vectors where not given. `view_similarity` (n, v): the
    same for v views of the picture. `pixels`: uint8 (n, 3, s, s), array or memory map. `captions`: n strings. `encode`:
    the image tower, for pictures that a detector has changed. `early`, `independent` (n,): cos(picture, own caption)
    early in training, and by a model that never saw these pairs.
    `k` neighbours and `m` references follow from `max_rate` (see `reference.choose`) where not given. `references`
    such samples are drawn and their scores averaged, after the `purge` share of each has left it. `precision` of the
    search for neighbours: in half on devices that are quick at it, unless told otherwise.
    """

    image: Table | None = None
    text: Table | None = None
    similarity: NDArray[np.floating] | None = None
    view_similarity: NDArray[np.floating] | None = None
    pixels: NDArray[np.uint8] | None = None
    captions: Sequence[str] | None = None
    encode: Encode | None = None
    early: NDArray[np.floating] | None = None
    independent: NDArray[np.floating] | None = None
    seed: int = 0
    max_rate: float | None = None
    k: int | None = None
    m: int | None = None
    references: int = 1
    purge: float = PURGED_SHARE
    device: str = "cpu"
    precision: Precision | None = None
    _turned: dict[Look, Turned] = field(default_factory=dict, init=False, repr=False, compare=False)
    _piles: dict[Look, Piles] = field(default_factory=dict, init=False, repr=False, compare=False)
    _densities: dict[tuple[Look, Setting], Densities] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        sizes = {name: len(value) for name, value in self._given().items()}
        if len(set(sizes.values())) != 1:
            counts = ", ".join(f"{size} of {name}" for name, size in sizes.items()) or "nothing"
            raise BezoarError(f"Not one row for each pair: {counts}.", "Give the same pairs in every table.")

    def __len__(self) -> int:
        return len(next(iter(self._given().values())))

    @property
    def reference(self) -> tuple[int, Indices]:
        """k, and the positions (m,) of the reference sample, as density looks at pictures or else at captions."""
        if self.image is None and self.text is None:
            k, m = reference.choose(self.max_rate, len(self), k=self.k, m=self.m)
            return k, reference.sample(len(self), m, self.seed)
        density = self.density(Look("text" if self.image is None else "image"))
        return density.setting.k, density.sample

    @property
    def purged_count(self) -> int:
        """How many references the default takes out: the purged share, as far as k neighbours remain."""
        k, sample = self.reference
        return Setting(k, len(sample), purge=self.purge).purged_count if k < len(sample) else 0

    def vectors(self, look: Look) -> Table:
        """Return the vectors (n, d) of one look. Joint: each modality by its median length, side by side."""
        if look.modality != "joint" and look.form == "raw":
            return self._need(look.modality)
        if look not in self._turned:
            names: tuple[Single, ...] = ("image", "text") if look.modality == "joint" else (look.modality,)
            tables = tuple(self._need(name) for name in names)
            factors = [None if look.form == "unit" else 1 / (median_length(table) or 1.0) for table in tables]
            self._turned[look] = Turned(tables, tuple(factors))
        return self._turned[look]

    def by_rows(self, look: Look, function: Callable[[Vectors], Scores]) -> Scores:
        """Return `function` of the vectors (b, d) of a chunk of rows, for all of them: (n,)."""
        table, scores = self.vectors(look), np.empty(len(self))
        for rows in chunks(len(self), _ROWS_AT_ONCE):
            scores[rows] = function(np.asarray(table[rows]))
        return scores

    def setting(self, look: Look) -> Setting:
        """Return how density looks at these vectors: as was asked for, as far as there are different ones."""
        distinct = self.piles(look).distinct
        k, m = reference.choose_among(self.max_rate, len(self), distinct, k=self.k, m=self.m)
        return Setting(k, m, self.references, self.purge)

    def piles(self, look: Look) -> Piles:
        """Return the exact copies among the vectors of one look."""
        if look not in self._piles:
            self._piles[look] = find_piles(self.vectors(look))
        return self._piles[look]

    def densities(self, look: Look, setting: Setting) -> Densities:
        """Return the density of all pairs by any setting; nothing is computed before a score is asked for."""
        if (look, setting) not in self._densities:
            self._densities[look, setting] = Densities(
                self.vectors(look),
                self.piles(look),
                setting,
                seed=self.seed,
                device=self.device,
                precision=self.precision or ("full" if self.device == "cpu" else "half"),
                together=() if setting.purge else FOUR,
            )
        return self._densities[look, setting]

    def density(self, look: Look) -> Densities:
        """Return the density of all pairs in the whole reference; asking for one of the four scores makes all."""
        return self.densities(look, replace(self.setting(look), purge=0.0))

    def purged_density(self, look: Look) -> Densities:
        """Return the density once the purged share of the reference, that with the highest SLOF, has left it."""
        return self.densities(look, self.setting(look))

    @cached_property
    def fit(self) -> Scores:
        """cos(picture, own caption), (n,)."""
        if self.similarity is not None:
            return np.asarray(self.similarity, np.float64)
        image, text, fit = self._need("image"), self._need("text"), np.empty(len(self))
        for rows in chunks(len(self), _ROWS_AT_ONCE):
            fit[rows] = witnesses.cosines(*(np.asarray(table[rows], np.float32) for table in (image, text)))
        return fit

    def fits(self, pictures: torch.Tensor, rows: Indices) -> torch.Tensor:
        """Return cos(picture, own caption), (b,), of other pictures float32 (b, 3, s, s) in 0-255 for the pairs `rows`.

        Differentiable in the pictures; 0 where a vector is zero.
        """
        import torch

        if self.encode is None:
            raise BezoarError("There is no model to look at changed pictures.", "Give a model, not only embeddings.")
        vectors = self.encode(pictures)
        text = torch.tensor(np.asarray(self._need("text")[rows], np.float32), device=vectors.device)
        return torch.cosine_similarity(vectors, text, dim=1)

    @cached_property
    def caption_space(self) -> Table:
        """Unit vectors float32 (n, d) that say which captions are alike: of the text tower, or else of the words.

        Those of the tower are made when rows of them are asked for; those of the words are held in memory.
        """
        if self.text is not None:
            return Turned((self.text,), (None,))
        if self.captions is None:
            raise BezoarError("There are no captions.", "Give text vectors or captions.")
        return caption_vectors(self.captions)

    def _given(self) -> dict[str, Sequence[str] | Table]:
        tables = {
            "image vectors": self.image,
            "text vectors": self.text,
            "similarities": self.similarity,
            "view similarities": self.view_similarity,
            "pictures": self.pixels,
            "captions": self.captions,
            "early similarities": self.early,
            "independent similarities": self.independent,
        }
        return {name: table for name, table in tables.items() if table is not None}

    def _need(self, modality: Single) -> Table:
        vectors = self.image if modality == "image" else self.text
        if vectors is None:
            raise BezoarError(f"There are no {modality} vectors.", "Embed the pairs first.")
        return vectors
