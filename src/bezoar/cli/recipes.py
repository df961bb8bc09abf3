"""`bezoar recipes`: the table of training recipes and repairs, with their phases."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bezoar.cli.tables import listing
from bezoar.run import Answer, Progress

if TYPE_CHECKING:
    from bezoar.training.recipes import Recipe


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take none of its own."""


def call(_asked: argparse.Namespace, _progress: Progress) -> Answer:
    """List the recipes: their phases below the paper, their constants in the JSON object."""
    from bezoar.training.recipes import RECIPES

    table = listing((recipe, _parameters(recipe)) for recipe in RECIPES.values())
    width = max(map(len, RECIPES))
    lines: list[str] = []
    for number, recipe in enumerate(RECIPES.values()):
        lines += [*table.lines[2 * number : 2 * number + 2], f"{'':<{width}}  {_verb(recipe)}: {_phases(recipe)}"]
    return Answer(table.summary, lines)


def _verb(recipe: Recipe) -> str:
    needs = f" --{' --'.join(recipe.needs)}" if recipe.needs and recipe.needs != ("labels",) else ""
    return f"bezoar {'repair' if recipe.repairs else 'train'}{needs}"


def _phases(recipe: Recipe) -> str:
    return ", ".join(f"{phase.name} {phase.share:.0%}".replace("%", " %") for phase in recipe.phases)


def _parameters(recipe: Recipe) -> Mapping[str, Any]:
    paper = recipe.at("paper")
    return {
        "repairs": recipe.repairs,
        "needs": list(recipe.needs),
        **asdict(recipe.settings),
        "phases": [asdict(phase) for phase in recipe.phases],
        "paper": {**asdict(paper.settings), "phases": [asdict(phase) for phase in paper.phases]},
    }
