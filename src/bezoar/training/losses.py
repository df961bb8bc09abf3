"""Loss terms, one value a pair. Vectors are of length one and gathered over all processes; weights are the recipe's.

* `Seen` is what a step has looked at; a term takes what it needs of it and returns (B,), or (F,) of the rows beside.
* A contrast whose target has an identical rival cannot be won: rivals that are known to be equal are masked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

from bezoar.training.banks import Bank


@dataclass(frozen=True)
class Seen:
    """One step: B pairs, one (B, d) for each look, in the order that the pass names them.

    `scale` multiplies the cosines; `owners` (B,) are the pairs' numbers; `same` (B, B) says which other pairs have an
    equal caption, None where that does not count. `before`: image and text vectors (B, d) of the model as it was.
    `beside`: image and text vectors (F, d) of the distrusted rows that joined. `logits` (B, c) of the head, `labels`
    (B,), -1 for none. `banks`: past vectors by modality. `threshold` and `margin` are the recipe's.
    """

    images: tuple[Tensor, ...]
    texts: tuple[Tensor, ...]
    scale: Tensor
    owners: Tensor
    same: Tensor | None = None
    before: tuple[Tensor, Tensor] | None = None
    beside: tuple[Tensor, Tensor] | None = None
    logits: Tensor | None = None
    labels: Tensor | None = None
    banks: dict[str, Bank] | None = None
    threshold: float = 2.15
    margin: float = 0.1


def contrast(queries: Tensor, keys: Tensor, scale: Tensor, masked: Tensor | None = None) -> Tensor:
    """Return the InfoNCE of each query against its own key among all keys, (B,); `masked` (B, B) are no rivals."""
    logits = scale * queries @ keys.T
    if masked is not None:
        logits = logits.masked_fill(masked, -torch.inf)
    own = torch.arange(len(logits), device=logits.device)
    return functional.cross_entropy(logits, own, reduction="none")


def clip_loss(images: Tensor, texts: Tensor, scale: Tensor, masked: Tensor | None = None) -> Tensor:
    """Return the symmetric InfoNCE of each pair, (B,). Source: Radford et al. 2021, section 2.3."""
    return (contrast(images, texts, scale, masked) + contrast(texts, images, scale, masked)) / 2


def _clip(seen: Seen) -> Tensor:
    return clip_loss(seen.images[0], seen.texts[0], seen.scale, seen.same)


def _across_views(seen: Seen) -> Tensor:
    (first, second), (own, other) = seen.images, seen.texts
    return (contrast(first, other, seen.scale, seen.same) + contrast(own, second, seen.scale, seen.same)) / 2


def _within_modality(seen: Seen) -> Tensor:
    (image, other_image), (text, other_text) = seen.images, seen.texts
    return (contrast(image, other_image, seen.scale) + contrast(text, other_text, seen.scale, seen.same)) / 2


def _nearest_neighbours(seen: Seen) -> Tensor:
    image = _against_neighbours(seen, "image", *seen.images)
    return (image + _against_neighbours(seen, "text", *seen.texts)) / 2


def _against_neighbours(seen: Seen, modality: str, first: Tensor, second: Tensor) -> Tensor:
    bank = _banks(seen)[modality]
    if not bank.full:  # until then a pair's own first look is its key
        return contrast(second, first.detach(), seen.scale)
    keys, rows = bank.nearest(first, seen.owners)
    return contrast(second, keys, seen.scale, _equal(rows))


def _nearest_captions(seen: Seen) -> Tensor:
    bank = _banks(seen)["text"]
    if not bank.full:
        return _clip(seen)
    captions, rows = bank.nearest(seen.images[0], seen.owners)
    return clip_loss(seen.images[0], captions, seen.scale, _equal(rows))


def _distance_of_images(seen: Seen) -> Tensor:
    assert seen.before is not None
    return _gated(seen.images[0], seen.before[0], seen.threshold)


def _distance_of_texts(seen: Seen) -> Tensor:
    assert seen.before is not None
    return _gated(seen.texts[0], seen.before[1], seen.threshold)


def _gated(now: Tensor, before: Tensor, threshold: float) -> Tensor:
    distance = (now - before).square().sum(dim=1)
    # The gate is on the mean of the batch: beyond it the term is the constant zero (PAR, section 4).
    return -distance if float(distance.detach().mean()) <= threshold else torch.zeros_like(distance)


def _push(seen: Seen) -> Tensor:
    assert seen.beside is not None
    images, texts = seen.beside
    return functional.relu((images * texts).sum(dim=1) + seen.margin)


def _classes(seen: Seen) -> Tensor:
    assert seen.logits is not None
    assert seen.labels is not None
    return functional.cross_entropy(seen.logits, seen.labels, reduction="none", ignore_index=-1)


def _banks(seen: Seen) -> dict[str, Bank]:
    assert seen.banks is not None
    return seen.banks


def _equal(rows: Tensor) -> Tensor:
    """Return which other queries found the same entry, bool (B, B)."""
    same = rows[:, None] == rows
    return same.fill_diagonal_(False)


@dataclass(frozen=True)
class Term:
    """A row of the table: its name, its formula in words, and which banks it reads."""

    name: str
    summary: str
    function: Callable[[Seen], Tensor]
    banks: tuple[str, ...] = ()

    def __call__(self, seen: Seen) -> Tensor:
        """Return the loss of each row."""
        return self.function(seen)


_TABLE = (
    Term("clip", "picture against caption and back: symmetric InfoNCE", _clip),
    Term("across-views", "first look at the picture against second at the caption, and the other way", _across_views),
    Term("within-modality", "picture against its other look, caption against its other look", _within_modality),
    Term(
        "nearest-neighbours",
        "second look against the nearest past vector of the first, in each modality",
        _nearest_neighbours,
        ("image", "text"),
    ),
    Term("nearest-captions", "picture against the past caption nearest to it, and back", _nearest_captions, ("text",)),
    Term("image-distance", "minus the squared way the image vector has gone, up to a gate", _distance_of_images),
    Term("text-distance", "minus the squared way the text vector has gone, up to a gate", _distance_of_texts),
    Term("push", "how far the cosine of a distrusted pair is above minus the margin", _push),
    Term("classes", "cross-entropy of the head on labelled pictures", _classes),
)
TERMS: dict[str, Term] = {term.name: term for term in _TABLE}
