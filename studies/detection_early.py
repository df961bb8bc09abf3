"""How well each pair fits early in the training of a cell's model: its first fifth, done once more and left there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bezoar.models import Towers
from bezoar.pairs.decoded import Decoded
from bezoar.run import Silent
from bezoar.training.early import EARLY_FILE, keep_early_fit, load_early_fit
from bezoar.training.recipes import RECIPES
from bezoar.training.start import SMALL_ARCH, new_towers
from bezoar.training.trainer import fit
from studies.cells import SETS
from studies.detection_table import Job
from studies.detection_victims import pairs_of


def early_fit(job: Job, runs: Path) -> NDArray[np.float32]:
    """Return cos(picture, own caption) of the pairs that can be read, (n,), after a fifth of the cell's training."""
    pairs, chosen = pairs_of(job), SETS[job.cell.set]
    folder = runs / "early" / job.name / pairs.fingerprint[:12]
    towers = new_towers(pairs.captions, SMALL_ARCH, side=chosen.canvas, seed=job.seed)
    decoded = Decoded(pairs, towers.canvas)
    decoded.decode_all()
    file = folder / EARLY_FILE
    if not file.is_file():
        epochs = job.cell.epochs or chosen.epochs
        settings = replace(RECIPES["clip"].settings, epochs=epochs, augmentation=chosen.augmentation, seed=job.seed)
        keep = keep_early_fit(decoded, file)

        def watch(shown: Towers, share: float) -> bool | None:
            keep(shown, share)
            return False if file.is_file() else None

        fit(towers, decoded, settings, folder, watch=watch, progress=Silent())
    return load_early_fit(file, len(pairs))[decoded.usable()]
