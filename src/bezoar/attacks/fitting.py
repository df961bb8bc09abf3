"""What a model that the attacker holds makes of the pairs: pictures and captions as unit vectors, and what fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.request import Request
from bezoar.run import BezoarError

if TYPE_CHECKING:
    from bezoar.models import Clip

Vectors = NDArray[np.float32]
BATCH = 64
# A pair takes its captions from this many of the best: one caption for all would be found at once.
BEST = 8


def surrogate(request: Request) -> Clip:
    """Return the model that the request names."""
    from bezoar.models import load

    name = request.values["model"]
    if name is None:
        raise BezoarError(f"{request.attack} needs a model to ask.", "Give model=MODEL, such as a run of bezoar train.")
    return load(name)


def picture_vectors(clip: Clip, request: Request, rows: NDArray[np.int64]) -> Vectors:
    """Return unit vectors (n, d) of the pictures of `rows`, as they are without the plan."""
    import torch

    parts = []
    with torch.inference_mode():
        for start in range(0, len(rows), BATCH):
            drawn = [request.pairs.pixels(int(row), clip.canvas) for row in rows[start : start + BATCH]]
            seen = clip.preprocess(torch.from_numpy(np.stack(drawn)))
            parts.append(torch.nn.functional.normalize(clip.encode_image(seen).float(), dim=-1))
    return np.asarray(torch.cat(parts).numpy())


def caption_vectors(clip: Clip, captions: list[str]) -> Vectors:
    """Return unit vectors (n, d) of captions."""
    import torch

    with torch.inference_mode():
        parts = [
            torch.nn.functional.normalize(clip.encode_text(tokens).float(), dim=-1)
            for tokens in clip.tokenize(captions).split(BATCH)
        ]
    return np.asarray(torch.cat(parts).numpy())


def nearest_captions(request: Request, rows: list[int], choices: list[str]) -> list[list[str]]:
    """Return for each row the BEST of `choices`, those that lie nearest to its clean picture, nearest first."""
    clip = surrogate(request)
    cosines = picture_vectors(clip, request, np.array(rows)) @ caption_vectors(clip, choices).T
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :BEST]
    return [[choices[int(place)] for place in own] for own in best]


def fit_to_target(request: Request, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the cosine of each row's picture with the mean of the target's captions, (n,)."""
    from bezoar.attacks.captions import wanted

    clip = surrogate(request)
    texts = caption_vectors(clip, list(dict.fromkeys(wanted(request.pairs, request.values["target"]))))
    middle = texts.mean(axis=0)
    return np.asarray(picture_vectors(clip, request, rows) @ (middle / np.linalg.norm(middle)))
