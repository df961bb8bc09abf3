"""Twelve geometric looks at a picture that keep what it shows.

* Bilinear, with the border reflected; the same input gives the same output, row by row.
* uint8 stays uint8 (rounded), floats stay floats; the shape stays.
* A mirror moves whole pixels: it equals a flip exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class View:
    """One look: mirrored first, then turned, zoomed and shifted.

    `zoom` (across, down): how much of the picture is seen, 0.8 the middle four fifths, 1.2 beyond its border.
    `degrees`: counter-clockwise as seen. `shift` (right, down): how far the picture moves, in sides.
    """

    name: str
    mirrored: bool = False
    zoom: tuple[float, float] = (1.0, 1.0)
    degrees: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The affine map (2, 3) from places of the view to places of the picture, in [−1, 1], x then y."""
        flip = np.diag([-1.0 if self.mirrored else 1.0, 1.0])
        return np.asarray(flip @ self._after_the_mirror())

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return this look at pictures (B, C, s, s), uint8 or float, on any device: same shape and dtype."""
        import torch

        mirrored = pictures.flip(-1) if self.mirrored else pictures
        rest = self._after_the_mirror()
        if np.array_equal(rest, np.eye(2, 3)):
            return mirrored
        whole = not pictures.is_floating_point()
        values = mirrored.float() if whole else mirrored
        theta = torch.tensor(rest, dtype=values.dtype, device=values.device)
        grid = torch.nn.functional.affine_grid(theta[None], [1, *pictures.shape[1:]], align_corners=False)
        seen = torch.nn.functional.grid_sample(
            values,
            grid.expand(len(pictures), -1, -1, -1),
            mode="bilinear",
            padding_mode="reflection",
            align_corners=False,
        )
        return seen.round_().clamp_(0, 255).to(pictures.dtype) if whole else seen

    def _after_the_mirror(self) -> NDArray[np.float64]:
        angle = math.radians(self.degrees)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        linear = turn @ np.diag(self.zoom)
        return np.column_stack([linear, -2 * linear @ np.array(self.shift)])


VIEWS = (
    View("mirror", mirrored=True),
    View("zoom-in", zoom=(0.8, 0.8)),
    View("zoom-out", zoom=(1.2, 1.2)),
    View("turn-left", degrees=15.0),
    View("turn-right", degrees=-15.0),
    View("shift-right", shift=(0.125, 0.0)),
    View("shift-left", shift=(-0.125, 0.0)),
    View("shift-up", shift=(0.0, -0.125)),
    View("shift-down", shift=(0.0, 0.125)),
    View("mirror-zoom", mirrored=True, zoom=(0.85, 0.85)),
    View("mirror-turn", mirrored=True, degrees=10.0),
    View("squeeze", zoom=(0.85, 1.15)),
)
