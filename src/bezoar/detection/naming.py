"""A name for what was found of a pair: planted, mismatched or copy.

* mismatched: it never fitted its caption, and that is the most that can be said against it.
* planted: flagged for another reason. It fitted and fell under views, or shares a pattern with pairs of like captions,
  or it is lonely although it fits.
* copy: another pair has the same picture and the same caption. This needs no flag, and says more than the others do of
  a pair that has one.
* A name is a reading of the witnesses, not a proof: what a trigger was planted for but the model never learned is no
  more than a wrong caption.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores

Finding = Literal["planted", "mismatched", "copy"]
FINDINGS: tuple[Finding, ...] = ("planted", "mismatched", "copy")
# Witnesses that a merely wrong caption does not move (witness `view-mismatch` it does).
SIGNS = ("view-drop", "view-constancy", "shared-pattern", "word-pattern")
# On three generated sets 120 pairs planted with a patch lie at 1.0 to 1.5 in the middle and at 2.5 to 2.8 at their 95 %
# quantile; captions swapped afterwards lie at 12 to 13 in the middle.
MISFIT = 3.0


def name_findings(
    flagged: NDArray[np.bool_],
    copied: NDArray[np.bool_] | None,
    misfit: Scores | None,
    signs: Mapping[str, Scores],
) -> list[Finding | None]:
    """Name n pairs: None for those that are neither flagged nor a copy.

    `misfit` (n,) is the robust z of minus the pair's fit (clip-score), None where no model says how pictures fit;
    `signs` the robust z (n,) of the witnesses, of which those in SIGNS count. A flagged pair is mismatched if its
    misfit is at least MISFIT and no sign is larger.
    """
    names = np.full(len(flagged), None, object)
    names[flagged] = "planted"
    if misfit is not None:
        strongest = np.max([np.full(len(flagged), MISFIT), *(z for name, z in signs.items() if name in SIGNS)], axis=0)
        names[flagged & (misfit >= strongest)] = "mismatched"
    if copied is not None:
        names[copied] = "copy"
    return list(names)
