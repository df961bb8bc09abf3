"""Repairs: recipes that go on from a trained model.

clean-finetune, CleanCLIP and supervised fine-tuning (Bansal et al. 2023, arXiv 2303.03323, sections 4 and 5) and PAR
(Singh et al. 2024, arXiv 2412.00727, section 4) learn from pairs that are known to be clean. `docs/recipes/` says by
which rule the constants follow from the papers', and what each does to a model.
"""

from __future__ import annotations

from dataclasses import replace

from bezoar.training.recipe import BASE, OWN, Pass, Phase, Recipe
from bezoar.training.recipes.constants import PAPER
from bezoar.training.settings import Settings
from bezoar.training.splits import Campaign, Fraction, Split

_PAPER = Settings(
    epochs=10, batch=64, learning_rate=1e-5, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, warmup=0.0032
)
# The papers' share of pretraining's steps × rate moves nothing here: docs/recipes/ shows the curve.
_SMALL = Settings(epochs=10)
SETTLES = 0.8  # rates fall to zero: what counts is the end of the course
_GENTLE = replace(_SMALL, learning_rate=5e-4)

CLEAN_FINETUNE = Recipe(
    "clean-finetune",
    "the control of CleanCLIP, arXiv 2303.03323",
    "Plain contrastive training on pairs known to be clean.",
    (Phase("clean-finetune", 1.0, (Pass("all", ((1.0, "clip"),)),)),),
    _SMALL,
    _PAPER,
    repairs=True,
    settles=SETTLES,
)


def cleanclip(strength: float = 1.0) -> Recipe:
    """Return CleanCLIP with weight `strength` (the paper's λ₂) on the terms within each modality."""
    both = ((1.0, "clip"), (strength, "within-modality"))
    return Recipe(
        "cleanclip",
        "Bansal et al. 2023, arXiv 2303.03323",
        "Clean pairs, with self-supervision that ties a picture to its other looks and loosens it from the trigger.",
        (
            Phase(
                "cleanclip",
                1.0,
                (Pass("all", both, pictures=(BASE, "autoaugment"), captions=(OWN, PAPER.other_caption)),),
            ),
        ),
        _SMALL,
        _PAPER,
        repairs=True,
        settles=SETTLES,
    )


SUPERVISED_FINETUNE = Recipe(
    "supervised-finetune",
    "Bansal et al. 2023, arXiv 2303.03323",
    "Labelled pictures: a linear head on the image tower, which learns with it.",
    (Phase("supervised-finetune", 1.0, (Pass("all", ((1.0, "classes"),), captions=()),)),),
    replace(_GENTLE, weight_decay=0.01),
    replace(_PAPER, batch=80, learning_rate=1e-4, weight_decay=0.01, warmup=0.08),
    repairs=True,
    needs=("labels",),
    settles=SETTLES,
)


def par(threshold: float = 2.15) -> Recipe:
    """Return PAR, which pushes vectors away from where they were up to the mean squared distance `threshold`."""
    terms = ((1.0, "clip"), (0.5, "image-distance"), (0.5, "text-distance"))
    settings = replace(_SMALL, learning_rate=3e-3, threshold=threshold)
    return Recipe(
        "par",
        "Singh et al. 2024, arXiv 2412.00727",
        "Perturb and recover: away from the vectors of before, while clean pairs hold picture and caption together.",
        (Phase("par", 1.0, (Pass("all", terms, pictures=("noise-erase",)),), shape="falling"),),
        settings,
        Settings(
            epochs=2,
            batch=2048,
            learning_rate=3e-5,
            betas=(0.9, 0.98),
            eps=1e-8,
            weight_decay=1e-4,
        ),
        repairs=True,
        fixed_temperature=True,
        settles=SETTLES,
    )


TASK_ARITHMETIC = Recipe(
    "task-arithmetic",
    "2025, arXiv 2510.14845",
    "Learns the backdoor a little more from triggered pairs, and goes the same way back.",
    (Phase("task-arithmetic", 1.0, (Pass("triggered", ((1.0, "clip"),)),)),),
    replace(_GENTLE, epochs=5),
    replace(_PAPER, epochs=1),
    repairs=True,
    needs=("plan",),
)


def unlearn(strength: float = 0.5, share: float | None = None) -> Recipe:
    """Return the recipe that goes on from a scan: keep what it trusts, and push its worst off their captions.

    `strength` is the weight of the push. Distrust is shared among pairs of like captions; how many are pushed is the
    estimated size of the campaign, and as many again are left out; or `share` of all pairs, pushed, none left out.
    """
    walk = Pass("kept", ((1.0, "clip"), (strength, "push")), rows="safe", beside=16)
    rule = Campaign() if share is None else Fraction(1 - share)
    return Recipe(
        "unlearn",
        "bezoar",
        "Goes on with the pairs that a scan trusts, and pushes the worst off their captions; needs no clean set.",
        (Phase("unlearn", 1.0, (walk,), Split(rule, "scan", shared=True), once=True),),
        replace(_GENTLE, epochs=2),
        replace(_PAPER, epochs=2),
        repairs=True,
        needs=("scan",),
        settles=SETTLES,
    )
