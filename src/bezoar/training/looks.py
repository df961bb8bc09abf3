"""What the towers are shown in one step: pictures and captions of a batch, each under the looks that a pass names.

* A look is keyed by seed, epoch and pair: it depends neither on the batch nor on how many processes share it.
* All looks go through the towers together, unique captions once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bezoar.models import Towers
from bezoar.pairs.decoded import Decoded
from bezoar.run import random
from bezoar.training.captions import CaptionTable
from bezoar.training.recipe import BASE, OWN, Pass, Recipe
from bezoar.training.settings import Settings
from bezoar.training.vocabulary import Vocabulary
from bezoar.views import CAPTION_VIEWS, PICTURE_VIEWS, Synonyms, draws

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Pairs of one step: `positions` (b,) of the set and a row of the caption table for each; `epoch` counts on
    through all phases."""

    positions: Rows
    captions: Rows
    epoch: int


@dataclass(frozen=True)
class Shown:
    """`pixels` uint8 (looks · b, 3, s, s); `tokens` (u, context); `owned`: for each caption look, the row of `tokens`
    that each pair's caption is, (b,)."""

    pixels: Tensor
    tokens: Tensor
    owned: tuple[Tensor, ...]

    def parts(self, images: Tensor, texts: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return vectors by look, (b, d) each: of pictures, and of captions."""
        size = len(self.owned[0])
        return images.split(size), tuple(texts[owned.to(texts.device)] for owned in self.owned)


@dataclass(frozen=True)
class Looks:
    """The set as training sees it."""

    towers: Towers
    decoded: Decoded
    table: CaptionTable
    vocabulary: Vocabulary
    settings: Settings
    synonyms: Synonyms
    tokens: Tensor

    @staticmethod
    def of(
        towers: Towers,
        decoded: Decoded,
        table: CaptionTable,
        vocabulary: Vocabulary,
        settings: Settings,
        synonyms: Synonyms,
    ) -> Looks:
        """Number the captions' tokens as the model knows them now."""
        tokens = vocabulary.renumber(table.tokens)
        return Looks(towers, decoded, table, vocabulary, settings, synonyms, tokens)

    def show(self, walk: Pass, batch: Batch) -> Shown:
        """Return what one process shows of `batch` in this pass."""
        pixels = torch.from_numpy(self.decoded.batch(batch.positions))
        pictures = [self._picture(name, pixels, batch, place) for place, name in enumerate(walk.pictures)]
        texts: dict[str, int] = {}
        plain, own = np.unique(batch.captions, return_inverse=True)
        owned = []
        for place, name in enumerate(walk.captions):
            if name == OWN:
                rows = own
            else:
                changed = self._captions(name, batch, place)
                rows = np.array([len(plain) + texts.setdefault(text, len(texts)) for text in changed])
            owned.append(torch.from_numpy(rows))
        tokens = self.tokens[torch.from_numpy(plain)]
        if texts:
            tokens = torch.cat([tokens, self.vocabulary.renumber(self.towers.tokenize(list(texts)))])
        return Shown(torch.cat(pictures), tokens, tuple(owned))

    def _picture(self, name: str, pixels: Tensor, batch: Batch, place: int) -> Tensor:
        view = PICTURE_VIEWS[self.settings.augmentation if name == BASE else name]
        numbers = draws(
            view, batch.positions, seed=self.settings.seed, epoch=self._epoch(batch), name=f"{view.name}/{place}"
        )
        return view(pixels, numbers)

    def _captions(self, name: str, batch: Batch, place: int) -> list[str]:
        view, pairs, epoch = CAPTION_VIEWS[name], self.decoded.pairs, self._epoch(batch)
        keys = pairs.keys
        return [
            view.function(
                self.table.texts[row],
                random(self.settings.seed, "caption-view", name, place, epoch, keys[position]),
                self.synonyms,
            )
            for position, row in zip(batch.positions.tolist(), batch.captions.tolist(), strict=True)
        ]

    def _epoch(self, batch: Batch) -> int:
        return 0 if self.settings.views == "frozen" else batch.epoch


def caption_views(recipe: Recipe) -> list[str]:
    """Return the names of the caption looks that a recipe asks for, own captions aside."""
    names = (name for phase in recipe.phases for walk in phase.passes for name in walk.captions)
    return sorted({name for name in names if name != OWN})


def every_token(towers: Towers, table: CaptionTable, recipe: Recipe, synonyms: Synonyms) -> Tensor:
    """Return tokens that hold every one that training with `recipe` can meet, (m, context)."""
    extra = [text for name in caption_views(recipe) for text in CAPTION_VIEWS[name].words(table.texts, synonyms)]
    return torch.cat([table.tokens, towers.tokenize(extra)]) if extra else table.tokens
