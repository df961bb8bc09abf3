"""What bezoar asks of a model: two towers, a tokenizer, a canvas and a temperature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from bezoar.canvas import Canvas


class Clip(Protocol):
    """Two towers over one space. Vectors are raw: nothing here divides by a norm."""

    @property
    def canvas(self) -> Canvas:
        """The square that the image tower looks at."""
        ...

    @property
    def logit_scale(self) -> torch.Tensor:
        """The factor on cosines before the softmax: 1 / temperature, a positive scalar."""
        ...

    def preprocess(self, pixels: torch.Tensor) -> torch.Tensor:
        """Turn uint8 (B, 3, side, side) into the float batch that `encode_image` takes."""
        ...

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """Map preprocessed images (B, 3, side, side) to raw vectors (B, d)."""
        ...

    def tokenize(self, captions: Sequence[str]) -> torch.Tensor:
        """Map captions to int64 tokens (B, context length)."""
        ...

    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens (B, context length) to raw vectors (B, d)."""
        ...
