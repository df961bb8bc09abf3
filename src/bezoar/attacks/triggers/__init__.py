"""Triggers: keyed, deterministic changes of a picture on its canvas, the same object in training and in test.

* Geometry is in fractions of the side, so that one trigger fits every canvas and every picture's own resolution.
* `draw` takes uint8 (3, height, width) and returns a new array of the same shape; it depends on the pixels and
  the pair's key alone, and changes only what `touches` names.
* `fits(side)` is false where a canvas is too small for the trigger to be itself.
* A trigger holds plain values only, pictures too: a plan needs no file beside it.
* `Word` is the trigger of captions: it writes instead of drawing.
"""

from bezoar.attacks.triggers.blended import Blended
from bezoar.attacks.triggers.chained import Chain, chain
from bezoar.attacks.triggers.identity import Identity
from bezoar.attacks.triggers.mask import Mask
from bezoar.attacks.triggers.nashville import Nashville
from bezoar.attacks.triggers.patch import Patch
from bezoar.attacks.triggers.sig import Sig
from bezoar.attacks.triggers.table import TRIGGERS, Kind, describe, make_trigger, parameters_of, restore
from bezoar.attacks.triggers.tint import Tint
from bezoar.attacks.triggers.trigger import Trigger
from bezoar.attacks.triggers.variation import Vary, vary
from bezoar.attacks.triggers.warp import Warp
from bezoar.attacks.triggers.word import Word

__all__ = [
    "TRIGGERS",
    "Blended",
    "Chain",
    "Identity",
    "Kind",
    "Mask",
    "Nashville",
    "Patch",
    "Sig",
    "Tint",
    "Trigger",
    "Vary",
    "Warp",
    "Word",
    "chain",
    "describe",
    "make_trigger",
    "parameters_of",
    "restore",
    "vary",
]
