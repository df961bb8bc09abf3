"""The table of recipes: how a model can be trained, and how one can be repaired."""

from __future__ import annotations

from bezoar.training.recipe import Recipe
from bezoar.training.recipes.clip import CLIP, CLIP_AUGMENTED, CLIP_SSL
from bezoar.training.recipes.filtered import filter_augmented, filter_then_train
from bezoar.training.recipes.repairs import (
    CLEAN_FINETUNE,
    SUPERVISED_FINETUNE,
    TASK_ARITHMETIC,
    cleanclip,
    par,
    unlearn,
)
from bezoar.training.recipes.roclip import ROCLIP
from bezoar.training.recipes.safeclip import safeclip

_TABLE = (
    CLIP,
    CLIP_AUGMENTED,
    CLIP_SSL,
    filter_then_train(),
    filter_augmented(),
    safeclip(),
    ROCLIP,
    CLEAN_FINETUNE,
    cleanclip(),
    SUPERVISED_FINETUNE,
    par(),
    TASK_ARITHMETIC,
    unlearn(),
)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _TABLE}

__all__ = ["RECIPES", "Recipe", "cleanclip", "filter_augmented", "filter_then_train", "par", "safeclip", "unlearn"]
