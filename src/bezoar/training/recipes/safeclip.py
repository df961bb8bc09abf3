"""SafeCLIP: learn each modality by itself until pictures and captions can be trusted, and let the trusted meet.

Yang, Gao, Mirzasoleiman 2024, arXiv 2310.05862, algorithm 1. `paper_phases` have the constants of the released code, as
shares of its 32 epochs. With some thousand steps in all they teach nothing: the small form meets longer before it
trusts, trusts ever more until the last third, and takes risky pairs at a tenth of the rate, because apart from each
other the towers forget what they had in common. docs/recipes/safeclip.md has the figures of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bezoar.training.recipe import Pass, Phase, Recipe
from bezoar.training.recipes.constants import CC3M, LONGER, PAPER, SMALL, LooksOf
from bezoar.training.splits import Mixture, Split


@dataclass(frozen=True)
class _Course:
    """What differs between the scales: the looks, the phases' shares, how trust grows, and how all pairs meet."""

    looks: LooksOf
    alone: float
    together: float
    together_peak: float
    risky_rate: float
    grow: float
    crossed: bool


_AS_PUBLISHED = _Course(PAPER, 5 / 32, 1 / 32, 0.01, 1.0, 0.01, True)
_FEW_STEPS = _Course(SMALL, 1 / 12, 3 / 12, 1.0, 0.1, 0.08, False)


def _phases(course: _Course, signal: str) -> tuple[Phase, ...]:
    looks = course.looks
    pictures = (looks.picture, looks.picture)
    alone = Pass(
        "unimodal", ((1.0, "nearest-neighbours"),), pictures=pictures, captions=(looks.caption, looks.other_caption)
    )
    risky = replace(alone, name="risky", rows="risky", rate=course.risky_rate)
    safe = Pass(
        "safe", ((1.0, "across-views"),), rows="safe", pictures=pictures, captions=(looks.caption, looks.caption)
    )
    together = (
        replace(safe, name="all", rows="all")
        if course.crossed
        else Pass("all", ((1.0, "clip"),), pictures=(looks.picture,))
    )
    rest = 1 - course.alone - course.together
    return (
        Phase("unimodal warm-up", course.alone, (alone,)),
        Phase("cross-modal warm-up", course.together, (together,), peak=course.together_peak, shape="constant"),
        Phase("safe training", rest, (risky, safe), Split(Mixture(0.9), signal, grow=course.grow, most=0.85)),
    )


def safeclip(signal: str = "cosine") -> Recipe:
    """Return SafeCLIP with rows routed by `signal`, a name in `bezoar.training.signals`; the paper's is the cosine."""
    return Recipe(
        "safeclip" if signal == "cosine" else f"safeclip-{signal}",
        "Yang, Gao, Mirzasoleiman 2024, arXiv 2310.05862",
        f"Pictures and captions learn apart first; then pairs trusted by {signal} meet, and ever more of them.",
        _phases(_FEW_STEPS, signal),
        LONGER,
        replace(CC3M, epochs=32, warmup=0.04),
        paper_phases=_phases(_AS_PUBLISHED, signal),
    )
