"""Zero-shot accuracy and attack success: pictures as queries, class texts as the gallery, counts over ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bezoar.canvas import Pixels
from bezoar.embeddings import encode_captions, encode_pictures, unit
from bezoar.evaluation.rank import best_rank
from bezoar.evaluation.rate import Rate
from bezoar.models import Clip
from bezoar.pairs.prompts import fill
from bezoar.run import BezoarError


def class_vectors(
    clip: Clip, classes: Sequence[str], prompts: Sequence[str], device: str = "cpu"
) -> NDArray[np.float32]:
    """Return one unit vector a class, (c, d): the mean over prompts of unit text vectors (Radford et al. 2021)."""
    texts = [fill(prompt, name) for name in classes for prompt in prompts]
    vectors = unit(encode_captions(clip, texts, device=device)).reshape(len(classes), len(prompts), -1)
    return unit(vectors.mean(axis=1))


def accuracy(
    clip: Clip,
    pixels: Pixels,
    labels: NDArray[np.int64],
    texts: NDArray[np.float32],
    *,
    device: str = "cpu",
) -> list[Rate]:
    """Return zero-shot-top1, top5 and top10 of pictures (n, 3, side, side) with class indices (n,)."""
    ranks = _ranks(clip, pixels, texts, labels[:, None] == np.arange(len(texts)), device)
    protocol = f"{len(texts)} classes, mean of the prompts"
    return [Rate.of(f"zero-shot-top{k}", ranks < k, protocol) for k in (1, 5, 10) if k == 1 or k < len(texts)]


def attack_success(
    clip: Clip,
    pixels: Pixels,
    labels: NDArray[np.int64],
    texts: NDArray[np.float32],
    target: int,
    draw: Callable[[int, Pixels], Pixels],
    *,
    device: str = "cpu",
) -> list[Rate]:
    """Return how often pictures are taken for class `target` with the trigger on, and what else they are taken for.

    Pictures of the target itself are left out. `draw(row, picture)` puts the trigger on. Rows: `asr`, `asr-base`
    (the same pictures without trigger, taken for the target), `asr-true-class` (triggered, taken for what they are).
    """
    others = np.flatnonzero(labels != target)
    if not len(others):
        raise BezoarError("All pictures are of the target's own class.", "Name test pairs of other classes too.")
    plain = pixels[others]
    triggered = np.stack([draw(int(row), pixels[row]) for row in others])
    wanted = np.arange(len(texts)) == target
    own = labels[others][:, None] == np.arange(len(texts))
    note = "pictures of other classes; "
    return [
        Rate.of("asr", _ranks(clip, triggered, texts, wanted, device) == 0, note + "trigger on, taken for target"),
        Rate.of("asr-base", _ranks(clip, plain, texts, wanted, device) == 0, note + "no trigger, taken for target"),
        Rate.of(
            "asr-true-class",
            _ranks(clip, triggered, texts, own, device) == 0,
            note + "trigger on, taken for own",
        ),
    ]


def _ranks(
    clip: Clip, pixels: Pixels, texts: NDArray[np.float32], acceptable: NDArray[np.bool_], device: str
) -> NDArray[np.int64]:
    images = unit(encode_pictures(clip, pixels, device=device)[0])
    return best_rank(images @ texts.T, acceptable)
