"""How well each pair fits early in training: planted pairs are learned first (`bezoar.detection.by_training`).

* Looked at once, when a fifth of the steps is done, in evaluation mode and without gradients: training goes on as if
  nobody had looked.
* One process looks at the whole set and writes, by position. Where each process keeps the losses of its own batches,
  pairs and losses are easily paired off wrongly.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bezoar.detection.witnesses import cosines
from bezoar.embeddings import encode_caption_sets, encode_pictures
from bezoar.models import Towers
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError, writing
from bezoar.training.trainer import Watch

EARLY_FILE = "early.npy"
EARLY_SHARE = 0.2
# Pictures that do not stay in memory are decoded so many at a time; whole batches of the encoder.
_AT_ONCE = 1024


def keep_early_fit(decoded: Decoded, file: Path, *, device: str = "cpu") -> Watch:
    """Return a watch for `fit` that writes cos(picture, own caption), float32 (n,), of all pairs to `file`.

    It does so at the first point from EARLY_SHARE on, costs one forward pass of the set, and accepts no weights. A
    file that is there is left: of two looks by one training the first counts. What the file says of a pair that
    cannot be read means nothing.
    """

    def watch(towers: Towers, share: float) -> None:
        if share >= EARLY_SHARE and _is_first_process() and not file.is_file():
            fits = _fits(towers, decoded, device)
            with writing(file) as out:
                np.save(out, fits)

    return watch


def load_early_fit(file: Path, pairs: int) -> NDArray[np.float32]:
    """Return what a watch kept of so many pairs, (pairs,); BezoarError where it is not there whole."""
    try:
        fits = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BezoarError(f"{file} cannot be read ({error}).", "Scan again with --force.") from error
    if fits.shape != (pairs,):
        raise BezoarError(f"{file} is of {len(fits)} pairs, not of {pairs}.", "Scan again with --force.")
    return np.asarray(fits, np.float32)


def _fits(towers: Towers, decoded: Decoded, device: str) -> NDArray[np.float32]:
    fits = np.empty(len(decoded), np.float32)
    for start in range(0, len(decoded), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(decoded)))
        images = encode_pictures(towers, decoded.batch(rows), device=device)[0]
        texts = encode_caption_sets(towers, [decoded.pairs.captions[row] for row in rows], device=device)
        fits[rows] = cosines(images, texts)
    return fits


def _is_first_process() -> bool:
    distributed = torch.distributed
    return not (distributed.is_available() and distributed.is_initialized()) or distributed.get_rank() == 0
