"""A model before test pictures: what it makes of them, plain and changed.

* Pictures are decoded once for all models of one canvas and drawn on in batches; kept are their vectors only.
* Vectors stay raw here; whoever compares them brings them to length one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.compression import compressed
from bezoar.attacks.triggers import Trigger
from bezoar.canvas import Canvas, Pixels
from bezoar.embeddings import encode_captions, encode_pictures, unit
from bezoar.embeddings.encode import BATCH
from bezoar.evaluation.protocol import among
from bezoar.evaluation.zero_shot import ClassTexts, class_vectors
from bezoar.models import Clip
from bezoar.pairs import Pairs
from bezoar.pairs.decoded import Decoded

Vectors = NDArray[np.float32]
Draw = Callable[[Pixels, str], Pixels]


@dataclass(frozen=True)
class Setting:
    """What all measures of one request share.

    `templates` make class texts, `prompts` is their name; triggered pictures go through JPEG of quality `jpeg`.
    """

    templates: tuple[str, ...]
    prompts: str = "given"
    jpeg: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Shown:
    """Test pictures that can be used: `positions` (n,) of what was decoded."""

    decoded: Decoded
    positions: NDArray[np.int64]

    @cached_property
    def pairs(self) -> Pairs:
        """The pairs at the positions."""
        return self.decoded.pairs.select(self.positions)

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True)
class Bench:
    """One model before the same pictures as every other; `advance` hears how many it has looked at."""

    clip: Clip
    device: str
    shown: Shown
    setting: Setting
    advance: Callable[[int], object] = lambda _: None

    def __len__(self) -> int:
        return len(self.shown)

    @property
    def pairs(self) -> Pairs:
        """The pairs whose pictures are asked about, (n,)."""
        return self.shown.pairs

    @property
    def canvas(self) -> Canvas:
        """The square that the model looks at."""
        return self.clip.canvas

    @cached_property
    def plain(self) -> Vectors:
        """Raw vectors of the pictures as they are, (n, d)."""
        return self.look(None)

    @cached_property
    def base(self) -> Vectors:
        """Raw vectors of the pictures without trigger, through the codec that triggered ones go through, (n, d)."""
        return self.plain if self.setting.jpeg is None else self.look(lambda pixels, _: self._through(pixels))

    def triggered(self, trigger: Trigger, rows: NDArray[np.int64] | None = None) -> Vectors:
        """Return raw vectors of all pictures, or of `rows`, with the trigger on, (n, d)."""
        return self.look(lambda pixels, key: self._through(trigger.draw(pixels, key)), rows)

    def look(self, draw: Draw | None, rows: NDArray[np.int64] | None = None) -> Vectors:
        """Return raw vectors of all pictures, or of `rows`, each changed by `draw` before, (n, d)."""
        asked = np.arange(len(self)) if rows is None else rows
        parts = []
        for start in range(0, len(asked), 8 * BATCH):
            chunk = asked[start : start + 8 * BATCH]
            pixels = self.shown.decoded.batch(self.shown.positions[chunk])
            if draw is not None:
                pixels = np.stack([draw(one, self.pairs.keys[row]) for one, row in zip(pixels, chunk, strict=True)])
            parts.append(encode_pictures(self.clip, pixels, device=self.device)[0])
            self.advance(len(chunk))
        return np.concatenate(parts)

    def texts(self, captions: Sequence[str]) -> Vectors:
        """Return unit vectors of captions, (n, d)."""
        return unit(encode_captions(self.clip, captions, device=self.device))

    @cached_property
    def class_texts(self) -> ClassTexts:
        """The classes of the pictures as texts."""
        names, templates = self.pairs.classes, self.setting.templates
        vectors = class_vectors(self.clip, names, templates, self.device)
        made = (
            f"{among(len(names), 'class text')}, mean of {among(len(templates), 'template')} ({self.setting.prompts})"
        )
        return ClassTexts(names, vectors, made)

    def _through(self, pixels: Pixels) -> Pixels:
        return pixels if self.setting.jpeg is None else compressed(pixels, self.setting.jpeg)
