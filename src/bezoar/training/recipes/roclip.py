"""RoCLIP: in every second epoch a picture learns from the past caption nearest to it, not from its own.

Yang, Gao, Mirzasoleiman 2023, arXiv 2303.06854, section 4, with the constants of the released code. The bank is fed in
every epoch and used once it is full; the released one starts with noise and stands still in between.
"""

from __future__ import annotations

from dataclasses import replace

from bezoar.training.recipe import Pass, Phase, Recipe
from bezoar.training.recipes.constants import CC3M, PICTURE_LOOK, TEXT_LOOK
from bezoar.training.settings import Settings

_PLAIN = Pass("own captions", ((1.0, "clip"),), pictures=(PICTURE_LOOK,), captions=(TEXT_LOOK,), turn=0, of=2)
_MATCHED = replace(_PLAIN, name="nearest captions", terms=((1.0, "nearest-captions"),), turn=1)

ROCLIP = Recipe(
    "roclip",
    "Yang, Gao, Mirzasoleiman 2023, arXiv 2303.06854",
    "Every second epoch a picture learns from the nearest of past captions instead of its own.",
    (Phase("roclip", 1.0, (_PLAIN, _MATCHED)),),
    Settings(),
    replace(CC3M, epochs=24, batch=512, learning_rate=5e-5),
)
