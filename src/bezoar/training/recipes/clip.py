"""Plain contrastive training, with and without the looks that the safe recipes use.

`clip-augmented` is the control that SafeCLIP's paper lacks: what the looks alone do, on all pairs. `clip-ssl` trains
the second victim, on which CleanCLIP is known to fail.
"""

from __future__ import annotations

from bezoar.training.recipe import BASE, OWN, Pass, Phase, Recipe
from bezoar.training.recipes.constants import CC3M, PICTURE_LOOK, TEXT_LOOK
from bezoar.training.settings import Settings

CLIP = Recipe(
    "clip",
    "Radford et al. 2021, arXiv 2103.00020",
    "Plain contrastive training: every other pair of the batch is a negative.",
    (Phase("clip", 1.0, (Pass("all", ((1.0, "clip"),)),)),),
    Settings(),
    CC3M,
)

CLIP_AUGMENTED = Recipe(
    "clip-augmented",
    "the control of SafeCLIP, arXiv 2310.05862",
    "Plain contrastive training on changed pictures and captions: what augmentation alone does.",
    (
        Phase(
            "clip-augmented",
            1.0,
            (Pass("all", ((1.0, "clip"),), pictures=(PICTURE_LOOK,), captions=(TEXT_LOOK,)),),
        ),
    ),
    Settings(),
    CC3M,
)

CLIP_SSL = Recipe(
    "clip-ssl",
    "Goel et al. 2022, arXiv 2205.14459; as a victim: Sahil et al. 2023, arXiv 2311.14948",
    "Contrastive training with self-supervision in each modality: the victim that CleanCLIP does not cure.",
    (
        Phase(
            "clip-ssl",
            1.0,
            (
                Pass(
                    "all",
                    ((1.0, "clip"), (1.0, "within-modality")),
                    pictures=(BASE, PICTURE_LOOK),
                    captions=(OWN, TEXT_LOOK),
                ),
            ),
        ),
    ),
    Settings(),
    CC3M,
)
