"""Filter, then train: learn once to see what does not belong, drop it, and start again with new weights.

Huang et al. 2025, arXiv 2502.01385 (drop the highest-scored share, retrain); Yang et al. 2023, arXiv 2209.15266 (drop
what a reference model finds unlike). What is dropped is decided by bezoar's default detection, or by the scan that is
handed in, with distrust shared among pairs of like captions.
"""

from __future__ import annotations

from bezoar.training.recipe import Pass, Phase, Recipe
from bezoar.training.recipes.constants import CC3M
from bezoar.training.settings import Settings
from bezoar.training.splits import Fraction, Split

_ALL = Pass("all", ((1.0, "clip"),))
_KEPT = Pass("kept", ((1.0, "clip"),), rows="safe")


def filter_then_train(share: float = 0.1, signal: str = "default") -> Recipe:
    """Return the recipe that drops `share` of the pairs, those that `signal` trusts least."""
    return Recipe(
        "filter-then-train",
        "Huang et al. 2025, arXiv 2502.01385; Yang et al. 2023, arXiv 2209.15266",
        f"Trains, drops the most suspicious {share:.0%} of the pairs, and trains anew on the rest.".replace("%", " %"),
        (
            Phase("look", 1.0, (_ALL,), spared_by_scan=True),
            Phase("train", 1.0, (_KEPT,), Split(Fraction(1 - share), signal, shared=True), once=True, restart=True),
        ),
        Settings(),
        CC3M,
    )
