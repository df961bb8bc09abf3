"""The one measuring primitive: the rank of the best acceptable answer in a gallery."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
DEPTHS = (1, 5, 10)
_CHUNK = 1024


def best_rank(scores: NDArray[np.floating], acceptable: Mask) -> Rows:
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


def ranks(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], acceptable: Mask | Callable[[Rows], Mask]
) -> Rows:
    """Return `best_rank` of unit queries (q, d) in a unit gallery (g, d), (q,), without ever holding all cosines.

    `acceptable` marks the answers of all queries, (g,), or returns those of some: rows (m,) to a mask (m, g).
    """
    found = []
    for start in range(0, len(queries), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(queries)))
        marked = acceptable(rows) if callable(acceptable) else acceptable
        found.append(best_rank(queries[rows] @ gallery.T, marked))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def depths(gallery: int) -> list[int]:
    """Return the k of top-k that say something about a gallery of this size: 1, and 5 and 10 where it is larger."""
    return [k for k in DEPTHS if k == 1 or k < gallery]
