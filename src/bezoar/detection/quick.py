"""A quick look: what pixels and words tell in seconds, and what they do not.

* Its one witness is `word-pattern`, with a decision of its own by mirror; copies are found as in every scan. Nothing is
  trained and no model is loaded.
* All pictures stay in memory, on a canvas no larger than patterns are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bezoar.detection.calibration import Calibrated
from bezoar.detection.default import WITNESSES, Testimony
from bezoar.detection.evidence import Evidence
from bezoar.detection.mirrored import decide_by_mirror
from bezoar.detection.patterns import LARGEST_SIDE
from bezoar.detection.robust import robust_z
from bezoar.detection.word_pattern import word_pattern
from bezoar.run import BezoarError

WITNESS = "word-pattern"
UNSEEN = (
    "This was a quick look: pictures and words alone, no model. It can see a fine pattern of pixels that pairs with a "
    "word in common share in one place, if they are about a tenth of the pairs with that word or more; and copies.",
    "It did not look for triggers at random places, warps, tints, wrong captions, or anything else that takes a model "
    "trained on these pairs; one picture planted many times is listed among the copies, not flagged. That nothing is "
    "found here says little: scan without --quick.",
)
_SMALLER = (48, 32, 24)


def quick_look(evidence: Evidence, rate: float) -> tuple[Testimony, Calibrated]:
    """Return what pictures and words say of n pairs, and the decision at a false-discovery rate.

    Raises BezoarError where there are no pictures or no captions.
    """
    if evidence.pixels is None or evidence.captions is None:
        raise BezoarError("A quick look takes pictures and captions.", "Give pairs, not embeddings.")
    seen = word_pattern(evidence.pixels, evidence.captions, device=evidence.device)
    silent = {one.name: "was not asked" for one in WITNESSES if one.name != WITNESS}
    z = robust_z(seen.score)
    if z is None:
        z, silent = np.zeros(len(evidence)), {WITNESS: "finds all pairs alike", **silent}
    spoke = () if WITNESS in silent else (WITNESS,)
    said = Testimony(
        score=seen.score, alone=seen.score, z={WITNESS: z}, raw={WITNESS: seen.score}, spoke=spoke, silent=silent
    )
    return said, decide_by_mirror(seen.score, seen.mirror, rate)


def quick_side(pairs: int, source_side: int, cap_bytes: int) -> int:
    """Return the side of the canvas: that of the pictures, at most 64, and less where `pairs` would not fit.

    `source_side` is the pictures' own, 0 where unknown. Raises BezoarError for more pairs than fit at 24 pixels.
    """
    own = min(LARGEST_SIDE, source_side or LARGEST_SIDE)
    for side in (own, *(smaller for smaller in _SMALLER if smaller < own)):
        if pairs * 3 * side * side <= cap_bytes:
            return side
    raise BezoarError(f"{pairs:,} pairs are too many for a quick look.", "Cut them with --limit, or leave out --quick.")


def refuse_beside_quick(asked: Mapping[str, object]) -> None:
    """Refuse what a quick look would not heed: options by name, None or False where not asked for."""
    for name, value in asked.items():
        if value is not None and value is not False:
            raise BezoarError(f"--{name} does not go with --quick, which asks no model.", "Leave out one of the two.")
