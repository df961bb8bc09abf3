"""Two witnesses that look at a picture in other ways that keep its content (see `bezoar.views`).

A planted pair fits its caption only while its trigger is intact: mirrored, zoomed, turned or shifted it
falls, and a genuine pair does not.

* `view_mismatch` also flags pairs that were wrongly captioned; `view_drop` does not, because those never
  fitted. Together they tell planted (fits, then falls) from mismatched.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores

Similarities = NDArray[np.floating]


def view_mismatch(view_similarity: Similarities) -> Scores:
    """Return minus the mean, over v views, of cos(view, own caption): (n, v) -> (n,)."""
    return np.asarray(-view_similarity.mean(axis=1, dtype=np.float64))


def view_drop(similarity: Similarities, view_similarity: Similarities) -> Scores:
    """Return cos(picture, own caption) minus the mean over its views: (n,) and (n, v) -> (n,)."""
    return np.asarray(similarity + view_mismatch(view_similarity), np.float64)


def cosines(image: NDArray[np.floating], text: NDArray[np.floating]) -> Scores:
    """Return the cosine of each row of two tables (n, d); 0 where a vector is zero."""
    lengths = np.linalg.norm(image, axis=1) * np.linalg.norm(text, axis=1)
    products = np.einsum("nd,nd->n", image, text, dtype=np.float64)
    return np.asarray(products / np.where(lengths > 0, lengths, 1.0))
