"""The table of recipes: how a model can be trained."""

from __future__ import annotations

from dataclasses import dataclass

from bezoar.training.settings import Settings


@dataclass(frozen=True)
class Recipe:
    """One way to train: its name, its paper, one sentence, and its constants."""

    name: str
    paper: str
    summary: str
    settings: Settings


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "clip",
        "Radford et al. 2021, arXiv 2103.00020",
        "Plain contrastive training: every other pair of the batch is a negative.",
        Settings(),
    ),
)
