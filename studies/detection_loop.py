"""The loop that matters: what the default suspects is left out, a model is trained on the rest, and asked again.

Its control leaves out as many pairs at random. Weights start from another seed than the victim's, as in the demo.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray

import bezoar
from bezoar.detection.truth import highest
from bezoar.run import random
from studies.cells import SETS
from studies.detection_table import Job
from studies.detection_victims import accuracy, measured, pairs_of, success, victim

SHARE = 0.02
AFTER = 1000


def filtered(job: Job, scan: Path, runs: Path) -> list[dict[str, Any]]:
    """Return what is left of the attack and of the accuracy once a model was trained without what was dropped."""
    pairs, plan, chosen = pairs_of(job), victim(job)[1], SETS[job.cell.set]
    assert plan is not None
    table = parquet.read_table(scan / "scores.parquet")
    scores = np.array(table["score"].to_pylist(), float)
    flagged = np.array([bool(one) for one in table["flagged"].to_pylist()])
    gone = dropped(job.loop, scores, flagged, job.seed)
    left = sum(key in plan.keys for row, key in enumerate(pairs.keys) if row not in set(gone.tolist()))
    rows = [
        {"measure": "dropped", "value": float(len(gone)), "low": None, "high": None, "n": len(pairs)},
        {"measure": "planted-left", "value": float(left), "low": None, "high": None, "n": len(plan.keys)},
    ]
    if not len(gone):
        return rows
    kept = pairs.select(np.setdiff1d(np.arange(len(pairs)), gone))
    model = runs / "retrained" / job.name / kept.fingerprint[:12] / "model"
    bezoar.train(
        kept,
        to=model,
        canvas=chosen.canvas,
        epochs=job.cell.epochs or chosen.epochs,
        augmentation=chosen.augmentation,
        seed=job.seed + AFTER,
    )
    before, after = measured(job, victim(job)[0], runs), measured(job, model, runs)
    value, low, high, n = success(after)
    rows.append({"measure": "asr-after", "value": value, "low": low, "high": high, "n": n})
    for name, told in (("accuracy-before", accuracy(before)), ("accuracy-after", accuracy(after))):
        rows.append({"measure": name, **{key: told[key] for key in ("value", "low", "high", "n")}})
    return rows


def dropped(loop: str, scores: NDArray[np.float64], flagged: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """Return the rows that leave the set: those that `loop` names, or as many of those with a score at random."""
    read = np.flatnonzero(np.isfinite(scores))
    chosen = np.flatnonzero(flagged) if loop.endswith("flagged") else read[highest(scores[read], SHARE)]
    if not loop.startswith("random"):
        return np.asarray(np.sort(chosen), np.int64)
    return np.asarray(np.sort(random(seed, "drop at random").choice(read, len(chosen), replace=False)), np.int64)
