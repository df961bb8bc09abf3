"""Plain contrastive training, with and without the looks that the safe recipes use.

`clip-augmented` is the control that SafeCLIP's paper lacks: what the looks alone do, on all pairs. `clip-ssl` trains
the second victim, on which CleanCLIP is known to fail.
"""

from __future__ import annotations

from bezoar.training.recipe import BASE, OWN, Pass, Phase, Recipe
from bezoar.training.recipes.constants import CC3M, LONGER, PAPER, SMALL, LooksOf
from bezoar.training.settings import Settings

CLIP = Recipe(
    "clip",
    "Radford et al. 2021, arXiv 2103.00020",
    "Plain contrastive training: every other pair of the batch is a negative.",
    (Phase("clip", 1.0, (Pass("all", ((1.0, "clip"),)),)),),
    Settings(),
    CC3M,
)


def _augmented(looks: LooksOf) -> tuple[Phase, ...]:
    walk = Pass("all", ((1.0, "clip"),), pictures=(looks.picture,), captions=(looks.caption,))
    return (Phase("clip-augmented", 1.0, (walk,)),)


CLIP_AUGMENTED = Recipe(
    "clip-augmented",
    "the control of SafeCLIP, arXiv 2310.05862",
    "Plain contrastive training under the safe recipes' looks: what augmentation alone does.",
    _augmented(SMALL),
    LONGER,
    CC3M,
    paper_phases=_augmented(PAPER),
)


def _self_supervised(looks: LooksOf) -> tuple[Phase, ...]:
    terms = ((1.0, "clip"), (1.0, "within-modality"))
    walk = Pass("all", terms, pictures=(BASE, looks.picture), captions=(OWN, looks.other_caption))
    return (Phase("clip-ssl", 1.0, (walk,)),)


CLIP_SSL = Recipe(
    "clip-ssl",
    "Mu et al. 2022, arXiv 2112.12750; as a victim: Sahil et al. 2023, arXiv 2311.14948",
    "Contrastive training with self-supervision in each modality: the victim that CleanCLIP does not cure.",
    _self_supervised(SMALL),
    Settings(),
    CC3M,
    paper_phases=_self_supervised(PAPER),
)
