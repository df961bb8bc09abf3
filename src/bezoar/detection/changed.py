"""How well changed pictures fit: one number for each pair and each way to change it.

* A change sees float pictures in 0-255 and the rows that they are of, and gives back as many, in 0-255.
* Chance is keyed by the row, so a pair's numbers do not depend on which other rows are asked for.
* Pictures go through the tower in batches of one size, the last one padded, without gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence
from bezoar.detection.neighbours import Indices

if TYPE_CHECKING:
    import torch

BATCH = 64

Changes = Callable[["torch.Tensor", Indices], Iterable["torch.Tensor"]]


def pictures(evidence: Evidence, rows: Indices) -> torch.Tensor:
    """Return the pictures (b, 3, s, s) of these rows, float32 in 0-255, on the evidence's device."""
    import torch

    assert evidence.pixels is not None
    return torch.tensor(np.ascontiguousarray(evidence.pixels[rows]), device=evidence.device).float()


def every_row(evidence: Evidence, rows: Indices | None) -> Indices:
    """Return the rows that were asked for, all of them by default."""
    return np.arange(len(evidence)) if rows is None else np.asarray(rows, np.int64)


def changed_fits(evidence: Evidence, changes: Changes, rows: Indices) -> Scores:
    """Return cos(changed picture, own caption), (b, changes), of these rows: a column for each change, in order."""
    import torch

    parts = []
    with torch.no_grad():
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            # The last row fills the last batch: sums of floats change with the shape of a batch.
            full = np.concatenate([part, np.repeat(part[-1:], BATCH - len(part))])
            seen = [evidence.fits(changed, full).double() for changed in changes(pictures(evidence, full), full)]
            parts.append(torch.stack(seen, dim=1)[: len(part)].cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, 0))
