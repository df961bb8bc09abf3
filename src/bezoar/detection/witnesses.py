"""Three witnesses that look at a picture in other ways that keep its content (see `bezoar.views`).

A planted pair fits its caption by its trigger. A patch is broken by mirroring, zooming, turning or shifting, and the
pair falls where a genuine one does not; a tint, a warp, a photo filter or a blend survives all of it, and the pair
hardly moves where a genuine one does.

* `view_mismatch` also flags pairs that were wrongly captioned; `view_drop` does not, because those never
  fitted. Together they tell planted (fits, then falls) from mismatched.
* `view_constancy` is the other side: far from a perfect fit, and yet the same however one looks. Genuine pairs are as
  constant only where they fit best.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores

Similarities = NDArray[np.floating]
# A spread below this is rounding of half precision as much as of the picture, and no fit is nearer to perfect.
_LEAST_SPREAD, _LEAST_MISFIT = 0.005, 0.01


def view_mismatch(view_similarity: Similarities) -> Scores:
    """Return minus the mean, over v views, of cos(view, own caption): (n, v) -> (n,)."""
    return np.asarray(-view_similarity.mean(axis=1, dtype=np.float64))


def view_drop(similarity: Similarities, view_similarity: Similarities) -> Scores:
    """Return cos(picture, own caption) minus the mean over its views: (n,) and (n, v) -> (n,)."""
    return np.asarray(similarity + view_mismatch(view_similarity), np.float64)


def view_constancy(similarity: Similarities, view_similarity: Similarities) -> Scores:
    """Return ln of (1 − cos(picture, own caption)) over its deviation over v views: (n,) and (n, v) -> (n,)."""
    misfit = np.maximum(1 - np.asarray(similarity, np.float64), _LEAST_MISFIT)
    return np.asarray(np.log(misfit / (view_similarity.std(axis=1, dtype=np.float64) + _LEAST_SPREAD)))


def cosines(image: NDArray[np.floating], text: NDArray[np.floating]) -> Scores:
    """Return the cosine of each row of two tables (n, d); 0 where a vector is zero."""
    lengths = np.linalg.norm(image, axis=1) * np.linalg.norm(text, axis=1)
    products = np.einsum("nd,nd->n", image, text, dtype=np.float64)
    return np.asarray(products / np.where(lengths > 0, lengths, 1.0))
