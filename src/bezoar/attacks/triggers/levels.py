"""From numbers to the 256 levels of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.canvas import Pixels


def rounded(levels: NDArray[np.floating[Any]]) -> Pixels:
    """Return levels 0…255 as uint8: the nearest one; what lies outside is clipped."""
    return np.asarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))


def wrapped(values: NDArray[np.floating[Any]]) -> Pixels:
    """Return values, meant to be 0…1, as uint8: cut off to whole levels, and what lies outside wraps around.

    So torchvision's ToPILImage converts, and so the released code of CleanCLIP and PAR made its patches.
    """
    return np.asarray((np.trunc(values * 255).astype(np.int64) & 255).astype(np.uint8))
