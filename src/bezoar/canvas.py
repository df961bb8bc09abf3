"""The canvas: the square that an image tower looks at.

* Triggers are drawn here, after resize and crop and before normalisation, in training and in test alike.
* Pixels are uint8 arrays of shape (3, side, side), RGB, until `normalise`.
* The drawing equals open_clip's own preprocessing (`tests/test_canvas.py` compares the two).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    import torch

Pixels = NDArray[np.uint8]

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True)
class Canvas:
    """Side in pixels, resize and crop rule, and the normalisation of one image tower."""

    side: int
    mean: tuple[float, float, float] = OPENAI_MEAN
    std: tuple[float, float, float] = OPENAI_STD
    resize: Literal["shortest", "squash"] = "shortest"
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"

    def window(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the part (x, y, width, height), in pixels of the source picture, that the canvas shows."""
        if self.resize == "squash":
            return 0.0, 0.0, float(width), float(height)
        resized_width, resized_height = self._resized(width, height)
        left = round((resized_width - self.side) / 2.0)
        top = round((resized_height - self.side) / 2.0)
        across, down = width / resized_width, height / resized_height
        return left * across, top * down, self.side * across, self.side * down

    def draw(self, image: bytes | Image.Image) -> Pixels:
        """Decode, resize and crop one picture to uint8 (3, side, side). Raises what Pillow raises."""
        picture = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
        # draft() would decode a JPEG at a lower resolution: quicker, but other pixels than open_clip's.
        picture = picture.convert("RGB")
        if picture.size != (self.side, self.side):
            picture = self._fit(picture)
        return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1))

    def normalise(self, batch: torch.Tensor) -> torch.Tensor:
        """Turn uint8 (B, 3, side, side) into float32 with the tower's mean and deviation taken out."""
        import torch

        mean = torch.tensor(self.mean, device=batch.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=batch.device).view(1, 3, 1, 1)
        return torch.addcmul(-mean / std, batch.float(), 1 / (255.0 * std))

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        # torchvision's Resize: the short side becomes `side`, the long side is cut to an integer.
        if width <= height:
            return self.side, int(self.side * height / width)
        return int(self.side * width / height), self.side

    def _fit(self, picture: Image.Image) -> Image.Image:
        if self.resize == "squash":
            return picture.resize((self.side, self.side), _FILTERS[self.interpolation])
        size = self._resized(*picture.size)
        resized = picture.resize(size, _FILTERS[self.interpolation])
        left = round((size[0] - self.side) / 2.0)
        top = round((size[1] - self.side) / 2.0)
        return resized.crop((left, top, left + self.side, top + self.side))
