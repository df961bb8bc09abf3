"""RoCLIP: in every second epoch a picture learns from the past caption nearest to it, not from its own.

Yang, Gao, Mirzasoleiman 2023, arXiv 2303.06854, with the constants of the released code. The bank is fed in every epoch
and used once it is full; the released one starts with noise and stands still in between.
"""

from __future__ import annotations

from dataclasses import replace

from bezoar.training.recipe import Pass, Phase, Recipe
from bezoar.training.recipes.constants import CC3M, LONGER, PAPER, SMALL, LooksOf


def _phases(looks: LooksOf) -> tuple[Phase, ...]:
    own = Pass("own captions", ((1.0, "clip"),), pictures=(looks.picture,), captions=(looks.caption,), turn=0, of=2)
    nearest = replace(own, name="nearest captions", terms=((1.0, "nearest-captions"),), turn=1)
    return (Phase("roclip", 1.0, (own, nearest)),)


ROCLIP = Recipe(
    "roclip",
    "Yang, Gao, Mirzasoleiman 2023, arXiv 2303.06854",
    "Every second epoch a picture learns from the nearest of past captions instead of its own.",
    _phases(SMALL),
    LONGER,
    replace(CC3M, epochs=24, batch=512, learning_rate=5e-5, warmup=0.21),
    paper_phases=_phases(PAPER),
)
