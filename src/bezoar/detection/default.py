"""The default: four witnesses that err differently, each as a robust z, added.

* density: SLOF on raw image vectors after the most lonely 2 % of the reference have left it; view-mismatch,
  view-drop and shared-pattern as in the table.
* A sum of z, not of ranks: ranks cannot say "ten standard deviations", and one certain witness is enough.
* Who cannot speak (no pictures, no captions, no spread) is left out, and the result says why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.detection.density import Scores
from bezoar.detection.detectors import DETECTORS, Detector, missing
from bezoar.detection.evidence import Evidence, Look
from bezoar.detection.robust import robust_z
from bezoar.run import BROKEN_DATA, BezoarError


def _density(evidence: Evidence, look: Look) -> Scores:
    return evidence.purged_density(look).slof()


WITNESSES = (
    Detector(
        "density",
        "after Huang et al., ICLR 2025, arXiv 2502.01385",
        "SLOF on raw image vectors, scored again after a purge of the reference.",
        ("vectors",),
        ("k", "m", "max-rate"),
        _density,
    ),
    DETECTORS["view-mismatch"],
    DETECTORS["view-drop"],
    DETECTORS["shared-pattern"],
)


@dataclass(frozen=True)
class Testimony:
    """What the default says of n pairs.

    `score` (n,): the sum of `z`, by witness (n,) each; `raw`: the scores behind them; `spoke`: the witnesses
    that were added; `silent`: the others, with the reason.
    """

    score: Scores
    z: dict[str, Scores]
    raw: dict[str, Scores]
    spoke: tuple[str, ...]
    silent: dict[str, str]


def testify(evidence: Evidence) -> Testimony:
    """Ask every witness that can speak. Raises BezoarError where none can."""
    raw: dict[str, Scores] = {}
    z: dict[str, Scores] = {}
    silent: dict[str, str] = {}
    for witness in WITNESSES:
        lacking = missing(witness, Look(), evidence)
        if lacking is not None:
            silent[witness.name] = f"needs {lacking}"
            continue
        raw[witness.name] = witness.function(evidence, Look())
        standard = robust_z(raw[witness.name])
        if standard is None:
            silent[witness.name] = "finds all pairs alike"
        else:
            z[witness.name] = standard
    if not z:
        reasons = "; ".join(f"{name} {reason}" for name, reason in silent.items())
        if raw:
            raise BezoarError(f"No witness can speak: {reasons}.", "Check how the set was made.", BROKEN_DATA)
        raise BezoarError(f"No witness can speak: {reasons}.", "Give pairs with a model or embeddings.")
    return Testimony(np.sum(list(z.values()), axis=0), z, raw, tuple(z), silent)
