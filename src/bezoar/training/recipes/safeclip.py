"""SafeCLIP: learn each modality by itself until pictures and captions can be trusted, and let the trusted meet.

Yang, Gao, Mirzasoleiman 2024, arXiv 2310.05862, algorithm 1, with the constants of the released code; shares of its 32
epochs. What we do otherwise, and why, is in docs/recipes/safeclip.md.
"""

from __future__ import annotations

from dataclasses import replace

from bezoar.training.recipe import Pass, Phase, Recipe
from bezoar.training.recipes.constants import CC3M, PICTURE_LOOK, TEXT_LOOK
from bezoar.training.settings import Settings
from bezoar.training.splits import Mixture, Split

_TWO_PICTURES, _TWO_CAPTIONS = (PICTURE_LOOK, PICTURE_LOOK), (TEXT_LOOK, TEXT_LOOK)
_ALONE = Pass("unimodal", ((1.0, "nearest-neighbours"),), pictures=_TWO_PICTURES, captions=_TWO_CAPTIONS)
_TOGETHER = Pass("all", ((1.0, "clip"),))
_RISKY = replace(_ALONE, name="risky", rows="risky")
_SAFE = Pass("safe", ((1.0, "across-views"),), rows="safe", pictures=_TWO_PICTURES, captions=_TWO_CAPTIONS)


def safeclip(signal: str = "cosine") -> Recipe:
    """Return SafeCLIP with rows routed by `signal`, a name in `bezoar.training.signals`; the paper's is the cosine."""
    return Recipe(
        "safeclip" if signal == "cosine" else f"safeclip-{signal}",
        "Yang, Gao, Mirzasoleiman 2024, arXiv 2310.05862",
        f"Pictures and captions learn apart first; then pairs trusted by {signal} meet, and ever more of them.",
        (
            Phase("unimodal warm-up", 5 / 32, (_ALONE,)),
            Phase("cross-modal warm-up", 1 / 32, (_TOGETHER,), peak=0.01, shape="constant"),
            Phase("safe training", 26 / 32, (_RISKY, _SAFE), Split(Mixture(0.9), signal, grow=0.01, most=0.85)),
        ),
        Settings(),
        replace(CC3M, epochs=32),
    )
