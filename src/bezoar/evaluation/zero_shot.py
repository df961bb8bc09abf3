"""Zero-shot classification: pictures as queries, class texts as the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.naming import names
from bezoar.embeddings import encode_captions, unit
from bezoar.evaluation.measure import Measure, rates
from bezoar.evaluation.protocol import SUCCESS, among, protocol
from bezoar.evaluation.rank import Mask, ranks
from bezoar.models import Clip
from bezoar.pairs.prompts import fill

if TYPE_CHECKING:
    from bezoar.evaluation.bench import Bench


@dataclass(frozen=True)
class ClassTexts:
    """Classes as texts: a unit vector each, (c, d); `made` says how."""

    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    made: str

    def __len__(self) -> int:
        return len(self.names)


def class_vectors(
    clip: Clip, classes: Sequence[str], prompts: Sequence[str], device: str = "cpu"
) -> NDArray[np.float32]:
    """Return one unit vector a class, (c, d): the mean over prompts of unit text vectors (Radford et al. 2021)."""
    texts = [fill(prompt, name) for name in classes for prompt in prompts]
    vectors = unit(encode_captions(clip, texts, device=device)).reshape(len(classes), len(prompts), -1)
    return unit(vectors.mean(axis=1))


def class_answers(classes: Sequence[str], word: str) -> Mask:
    """Return which classes count as `word`, bool (c,): the one of this name, else all whose names name it."""
    exact = np.array([name.casefold() == word.casefold() for name in classes], bool)
    finds = names(word).search
    return exact if exact.any() else np.array([bool(finds(name)) for name in classes], bool)


def accuracy(bench: Bench) -> list[Measure]:
    """Return zero-shot-top1, top5 and top10 of labelled pictures: the share taken for what their label says."""
    texts, labels = bench.class_texts, bench.pairs.labels
    own = np.arange(len(texts))
    found = ranks(unit(bench.plain), texts.vectors, lambda rows: labels[rows][:, None] == own)
    how = protocol(
        queries=among(len(bench), "picture"),
        canvas=f"{bench.canvas.side} px",
        gallery=texts.made,
        acceptable="1, the class of the label",
        success=SUCCESS,
    )
    return rates("zero-shot-top{}".format, found, len(texts), how)
