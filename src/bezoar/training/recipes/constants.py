"""Constants that several recipes share."""

from __future__ import annotations

from bezoar.training.settings import Settings

# SafeCLIP's and RoCLIP's looks; on a small canvas a crop of a twelfth of the picture shows nothing, hence "moderate".
PICTURE_LOOK = "moderate"
TEXT_LOOK = "eda"

# CleanCLIP's training on 3 M pairs of CC3M: 10,000 of 1.5 M steps of warm-up.
CC3M = Settings(epochs=64, batch=128, learning_rate=5e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, warmup=0.0067)
