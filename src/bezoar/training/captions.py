"""The captions of a set as tokens: each unique caption once, and which of them each pair owns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bezoar.models import Clip
from bezoar.pairs import Pairs
from bezoar.run import random


@dataclass(frozen=True)
class CaptionTable:
    """`texts`: the unique captions; `tokens` int64 (U, context); pair i owns rows `owned[starts[i]:starts[i + 1]]`."""

    texts: tuple[str, ...]
    tokens: torch.Tensor
    owned: NDArray[np.int64]
    starts: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many captions each pair has, (n,)."""
        return np.diff(self.starts)

    def pick(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return one caption row for each pair, (n,), drawn anew each epoch; -1 where a pair has none."""
        counts = self.counts
        draw = random(seed, "caption", epoch).random(len(counts))
        place = self.starts[:-1] + np.minimum((draw * counts).astype(np.int64), np.maximum(counts - 1, 0))
        rows = np.append(self.owned, -1)[np.minimum(place, len(self.owned))]
        return np.where(counts > 0, rows, -1)


def tokenize_captions(pairs: Pairs, clip: Clip) -> CaptionTable:
    """Tokenize each unique caption of `pairs` once."""
    captions = pairs.captions
    unique: dict[str, int] = {}
    owned = [unique.setdefault(caption, len(unique)) for own in captions for caption in own]
    starts = np.concatenate([[0], np.cumsum([len(own) for own in captions])])
    return CaptionTable(tuple(unique), clip.tokenize(list(unique)), np.array(owned, np.int64), starts.astype(np.int64))
