"""The one measuring primitive: the rank of the best acceptable answer in a gallery."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_rank(scores: NDArray[np.floating], acceptable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rank of each query's best acceptable answer, (q,), from 0.

    `scores` (q, g) are similarities, higher is better; `acceptable` (q, g) or (g,) marks the answers that count.
    The rank is the number of other answers that score at least as high: a tie counts against the answer, so a
    model that gives everything one score succeeds at nothing. A query without acceptable answer is refused.
    """
    marked = np.broadcast_to(acceptable, scores.shape)
    if not marked.any(axis=1).all():
        raise ValueError("every query needs an acceptable answer")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    best = np.where(marked, scores, -np.inf).max(axis=1, keepdims=True)
    ahead: NDArray[np.int64] = ((scores >= best) & ~marked).sum(axis=1)
    return ahead
