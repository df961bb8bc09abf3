"""A part of the evidence: what there is to see of some of the pairs, as if there had never been others.

* Whatever has a row a pair is cut to the chosen rows, in their order; all else (the model, seed, k, device) stays.
* Vectors on disk stay there: the part is a choice of their rows.
* Nothing that was computed is taken over: neighbours are sought anew among those who are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from bezoar.detection.evidence import Evidence
from bezoar.detection.neighbours import Indices
from bezoar.detection.part import Part


def excerpt(evidence: Evidence, rows: Indices) -> Evidence:
    """Return the evidence of the pairs at `rows` (m,), in this order."""
    given = {one.name: getattr(evidence, one.name) for one in fields(evidence) if not one.name.startswith("_")}
    return Evidence(**{name: _cut(value, np.asarray(rows, np.int64), len(evidence)) for name, value in given.items()})


def _cut(value: Any, rows: Indices, n: int) -> Any:
    if isinstance(value, np.ndarray) and len(value) == n:
        return value[rows]
    if hasattr(value, "shape") and len(value) == n:
        return Part(value, rows)
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == n:
        return [value[row] for row in rows]
    return value
