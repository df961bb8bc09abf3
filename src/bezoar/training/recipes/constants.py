"""Constants that several recipes share, at the scale of the data (`SMALL`) and of the papers (`PAPER`)."""

from __future__ import annotations

from dataclasses import dataclass

from bezoar.training.recipe import OWN
from bezoar.training.settings import Settings


@dataclass(frozen=True)
class LooksOf:
    """The looks of a scale: at pictures, at captions that meet a picture, at captions that meet captions."""

    picture: str
    caption: str
    other_caption: str


# SafeCLIP's and RoCLIP's looks.
PAPER = LooksOf("strong", "eda", "eda")
# On a small canvas a crop of a twelfth shows nothing, and captions of five words that lose one of them as well are too
# much for some thousand steps; docs/recipes/ has the figures.
SMALL = LooksOf("moderate", OWN, "eda")

# Changed pictures take longer to learn from; the safe recipes and their control are equally long.
LONGER = Settings(epochs=18)

# CleanCLIP's training on 3 M pairs of CC3M: 10,000 of 1.5 M steps of warm-up.
CC3M = Settings(epochs=64, batch=128, learning_rate=5e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, warmup=0.0067)
