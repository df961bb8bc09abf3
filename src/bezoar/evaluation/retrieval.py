"""Retrieval on captioned pairs: pictures and captions search one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bezoar.embeddings import unit
from bezoar.evaluation.bench import Bench
from bezoar.evaluation.measure import Measure, rates
from bezoar.evaluation.protocol import SUCCESS, among, protocol
from bezoar.evaluation.rank import Rows, ranks
from bezoar.pairs import Pairs


@dataclass(frozen=True)
class Captions:
    """Every caption of a set, (c,), and the row of the picture that it belongs to."""

    texts: list[str]
    owner: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.texts)


def captions_of(pairs: Pairs) -> Captions:
    """Return the captions of the pairs, in order."""
    texts = [caption for own in pairs.captions for caption in own]
    return Captions(texts, np.repeat(np.arange(len(pairs)), [len(own) for own in pairs.captions]))


def retrieval(bench: Bench) -> list[Measure]:
    """Return r@1, 5, 10 both ways for pictures and their captions, one or more a picture.

    A picture has found its text if any of its own captions is among the first k of all; a caption has found its
    picture if that is among the first k.
    """
    captions = captions_of(bench.pairs)
    found = both_ways(unit(bench.plain), bench.texts(captions.texts), captions.owner)
    pictures, texts = among(len(bench), "picture"), among(len(captions), "caption")
    return [
        *_rows("image-to-text", found[0], pictures, texts, len(captions), "a picture's own captions", bench),
        *_rows("text-to-image", found[1], texts, pictures, len(bench), "1, the picture that it belongs to", bench),
    ]


def _rows(way: str, found: Rows, queries: str, gallery: str, size: int, acceptable: str, bench: Bench) -> list[Measure]:
    canvas = f"{bench.canvas.side} px"
    how = protocol(queries=queries, canvas=canvas, gallery=gallery, acceptable=acceptable, success=SUCCESS)
    return rates(lambda k: f"r@{k}-{way}", found, size, how)


def both_ways(
    images: NDArray[np.float32], texts: NDArray[np.float32], owner: Sequence[int] | NDArray[np.int64]
) -> tuple[Rows, Rows]:
    """Return the ranks, from 0, of unit pictures (n, d) among captions and of unit captions (c, d) among pictures.

    `owner` (c,) is the row of each caption's picture. A picture's rank is that of the best of all its captions.
    """
    belongs, every = np.asarray(owner), np.arange(len(images))
    to_text = ranks(images, texts, lambda rows: belongs == rows[:, None])
    to_image = ranks(texts, images, lambda rows: belongs[rows][:, None] == every)
    return to_text, to_image
