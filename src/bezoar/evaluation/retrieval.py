"""Retrieval on captioned pairs, and the success of an attack on it: pictures and captions search one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bezoar.canvas import Pixels
from bezoar.embeddings import encode_captions, encode_pictures, unit
from bezoar.evaluation.rank import best_rank
from bezoar.evaluation.rate import Rate
from bezoar.models import Clip
from bezoar.run import BezoarError

DEPTHS = (1, 5, 10)


def retrieval(clip: Clip, pixels: Pixels, captions: Sequence[Sequence[str]], *, device: str = "cpu") -> list[Rate]:
    """Return r@1, 5, 10 both ways for pictures (n, 3, side, side) and their captions, one or more a picture.

    A picture has found its text if any of its own captions is among the first k of all; a caption has found its
    picture if that is among the first k.
    """
    cosines, owner = _cosines(clip, pixels, captions, device)
    own = owner == np.arange(len(pixels))[:, None]
    to_text, to_image = best_rank(cosines, own), best_rank(cosines.T, own.T)
    gallery = f"{len(pixels):,} pictures, {len(owner):,} captions"
    return [
        Rate.of(f"r@{k}-{way}", ranks < k, gallery)
        for way, ranks in (("image-to-text", to_text), ("text-to-image", to_image))
        for k in DEPTHS
    ]


def retrieval_attack_success(
    clip: Clip,
    pixels: Pixels,
    captions: Sequence[Sequence[str]],
    names_target: Callable[[str], object],
    draw: Callable[[int, Pixels], Pixels],
    *,
    device: str = "cpu",
) -> list[Rate]:
    """Return how often pictures that have nothing to do with the target find a caption that names it first.

    The gallery is all captions; pictures of which a caption names the target are left out as queries. Rows: `asr`
    (trigger on, first caption), `asr@10`, and `asr-base` (the same pictures without trigger).
    """
    flat = [caption for own in captions for caption in own]
    wanted = np.array([bool(names_target(caption)) for caption in flat])
    others = np.flatnonzero([not any(names_target(caption) for caption in own) for own in captions])
    if not wanted.any() or not len(others):
        what = f"{wanted.sum():,} of {len(flat):,} captions name the target."
        raise BezoarError(what, "Name test pairs of which some name it and some do not.")
    plain = pixels[others]
    triggered = np.stack([draw(int(row), pixels[row]) for row in others])
    texts = unit(encode_captions(clip, flat, device=device))

    def ranks(pictures: Pixels) -> NDArray[np.int64]:
        return best_rank(unit(encode_pictures(clip, pictures, device=device)[0]) @ texts.T, wanted)

    with_trigger, without = ranks(triggered), ranks(plain)
    note = f"pictures whose captions do not name the target, {wanted.sum():,} of {len(flat):,} captions name it; "
    return [
        Rate.of("asr", with_trigger == 0, note + "trigger on, first caption found names it"),
        Rate.of("asr@10", with_trigger < 10, note + "trigger on, one of ten names it"),
        Rate.of("asr-base", without == 0, note + "no trigger, first caption found names it"),
    ]


def _cosines(
    clip: Clip, pixels: Pixels, captions: Sequence[Sequence[str]], device: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    owner = np.repeat(np.arange(len(captions)), [len(own) for own in captions])
    images = unit(encode_pictures(clip, pixels, device=device)[0])
    texts = unit(encode_captions(clip, [caption for own in captions for caption in own], device=device))
    return images @ texts.T, owner
