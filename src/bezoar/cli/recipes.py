"""`bezoar recipes`: the table of training recipes."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from bezoar.cli.tables import listing
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take none of its own."""


def call(_asked: argparse.Namespace, _progress: Progress) -> Answer:
    """List the recipes."""
    from bezoar.training.recipes import RECIPES

    return listing((recipe, asdict(recipe.settings)) for recipe in RECIPES.values())
