"""Filter, then train: learn once to see what does not belong, drop it, and start again with new weights.

Huang et al. 2025, arXiv 2502.01385 (drop the highest-scored share, retrain); Yang et al. 2023, arXiv 2209.15266 (drop
what a reference model finds unlike). What is dropped is decided by bezoar's default detection, or by the scan that is
handed in, with distrust shared among pairs of like captions.
"""

from __future__ import annotations

from bezoar.training.recipe import BASE, OWN, Pass, Phase, Recipe
from bezoar.training.recipes.constants import LONGER, PAPER, SMALL
from bezoar.training.settings import Settings
from bezoar.training.splits import Fraction, Split

# Huang et al. train for 32 epochs, 4.25 of them warm-up.
_HUANG = Settings(
    epochs=32, batch=1024, learning_rate=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.2, warmup=0.133
)
_PAPERS = "Huang et al. 2025, arXiv 2502.01385; Yang et al. 2023, arXiv 2209.15266"


def _phases(share: float, signal: str, picture: str = BASE, caption: str = OWN) -> tuple[Phase, ...]:
    kept = Pass("kept", ((1.0, "clip"),), rows="safe", pictures=(picture,), captions=(caption,))
    split = Split(Fraction(1 - share), signal, shared=True)
    return (
        Phase("look", 1.0, (Pass("all", ((1.0, "clip"),)),), spared_by_scan=True),
        Phase("train", 1.0, (kept,), split, once=True, restart=True),
    )


def filter_then_train(share: float = 0.1, signal: str = "default") -> Recipe:
    """Return the recipe that drops `share` of the pairs, those that `signal` trusts least."""
    return Recipe(
        "filter-then-train",
        _PAPERS,
        f"Trains, drops the most suspicious {share:.0%} of the pairs, and trains anew on the rest.".replace("%", " %"),
        _phases(share, signal),
        Settings(),
        _HUANG,
    )


def filter_augmented(share: float = 0.1, signal: str = "default") -> Recipe:
    """Return the same with the safe recipes' looks at what is kept: a filter and augmentation fail on other attacks."""
    return Recipe(
        "filter-augmented",
        _PAPERS,
        "The same, with the kept pairs under the safe recipes' looks: what the one lets through the other may stop.",
        _phases(share, signal, SMALL.picture, SMALL.caption),
        LONGER,
        _HUANG,
        paper_phases=_phases(share, signal, PAPER.picture, PAPER.caption),
    )
