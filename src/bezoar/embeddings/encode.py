"""Pictures and captions through the towers, in batches of one size: the last is padded, so that a pair's vector
does not depend on how many follow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bezoar.canvas import Pixels
from bezoar.models import Clip

BATCH = 64

Vectors = NDArray[np.float32]
Look = Callable[[Tensor], Tensor]


def encode_pictures(clip: Clip, pixels: Pixels, *, device: str = "cpu", looks: Sequence[Look] = ()) -> Vectors:
    """Return raw image vectors (1 + len(looks), n, d) of uint8 pictures (n, 3, side, side).

    Row 0 is the picture itself, then one row for each look: a function of float pictures in 0…255.
    """
    rows = [
        _padded(chunk, lambda batch: _all_looks(clip, batch.to(device), looks))
        for chunk in torch.from_numpy(pixels).split(BATCH)
        if len(chunk)
    ]
    return np.concatenate(rows, axis=1) if rows else np.zeros((1 + len(looks), 0, 0), np.float32)


def encode_captions(clip: Clip, captions: Sequence[str], *, device: str = "cpu") -> Vectors:
    """Return raw text vectors (n, d); each unique caption is encoded once."""
    unique = list(dict.fromkeys(captions))
    if not unique:
        return np.zeros((0, 0), np.float32)
    tokens = clip.tokenize(unique)
    rows = [_padded(chunk, lambda batch: clip.encode_text(batch.to(device))[None]) for chunk in tokens.split(BATCH)]
    place = {caption: row for row, caption in enumerate(unique)}
    vectors = np.concatenate(rows, axis=1)[0]
    return np.asarray(vectors[[place[caption] for caption in captions]])


def encode_caption_sets(clip: Clip, sets: Sequence[Sequence[str]], *, device: str = "cpu") -> Vectors:
    """Return one raw text vector for each set of captions, (n, d): the mean of its captions', zero for none."""
    flat = [caption for own in sets for caption in own]
    if not flat:
        return np.zeros((len(sets), encode_captions(clip, [""], device=device).shape[1]), np.float32)
    vectors = encode_captions(clip, flat, device=device)
    counts = np.array([len(own) for own in sets])
    if (counts == 1).all():
        return vectors
    owner = np.repeat(np.arange(len(sets)), counts)
    out = np.zeros((len(sets), vectors.shape[1]), np.float64)
    np.add.at(out, owner, vectors)
    return np.asarray(out / np.maximum(counts, 1)[:, None], np.float32)


def unit(vectors: Vectors) -> Vectors:
    """Return the vectors at length one; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    out: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return out


@torch.inference_mode()
def _padded(chunk: Tensor, encode: Callable[[Tensor], Tensor]) -> Vectors:
    missing = BATCH - len(chunk)
    full = torch.cat([chunk, chunk[-1:].expand(missing, *chunk.shape[1:])]) if missing else chunk
    out: Vectors = encode(full)[:, : len(chunk)].float().cpu().numpy()
    return out


def _all_looks(clip: Clip, pixels: Tensor, looks: Sequence[Look]) -> Tensor:
    pictures = pixels.float()
    seen = [pictures, *(look(pictures) for look in looks)]
    return torch.stack([clip.encode_image(clip.preprocess(picture)) for picture in seen])
