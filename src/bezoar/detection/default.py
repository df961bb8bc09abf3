"""The default: six witnesses that err differently, each as a robust z, added, and then what their fellows say.

* density: SLOF on raw image vectors after the most lonely 5 % of the reference have left it; the others as in the
  table.
* A sum of z, not of ranks: ranks cannot say "ten standard deviations", and one certain witness is enough.
* What excludes one another counts once, by the higher: a trigger is broken by other looks (view-mismatch and view-drop,
  added) or survives them (view-constancy, twice); a pattern is shared with like captions or with a word.
* fellows: how many of the pairs with like captions are suspected by that sum (`together`), weighted and added to it.
* Who cannot speak (no pictures, no captions, no spread) is left out, and the result says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from bezoar.detection.calibration import FALSE_DISCOVERY_RATE, Calibrated, calibrate
from bezoar.detection.density import Scores
from bezoar.detection.detector import score
from bezoar.detection.detectors import DETECTORS, Chosen, Detector, missing
from bezoar.detection.evidence import Evidence, Look
from bezoar.detection.part import Part
from bezoar.detection.robust import deviation, robust_z
from bezoar.detection.together import WEIGHT, groups, lift
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
    DETECTORS["view-constancy"],
    DETECTORS["shared-pattern"],
    DETECTORS["word-pattern"],
)
# Of each line the highest counts; what stands together in it is added, as often as it stands there.
VOICES = (
    (("density",),),
    (("view-mismatch", "view-drop"), ("view-constancy", "view-constancy")),
    (("shared-pattern",), ("word-pattern",)),
)
FELLOWS = "fellows"


@dataclass(frozen=True)
class Testimony:
    """What the default says of n pairs.

    `score` (n,): the sum of `z`, by witness (n,) each, added as in VOICES, and that of their fellows; `alone` (n,): the
    sum without; `raw`: the scores behind them; `spoke`: the witnesses that were added; `silent`: the others, with the
    reason.
    """

    score: Scores
    alone: Scores
    z: dict[str, Scores]
    raw: dict[str, Scores]
    spoke: tuple[str, ...]
    silent: dict[str, str]


def testify(evidence: Evidence) -> Testimony:
    """Ask every witness that can speak. Raises BezoarError where none can."""
    raw, z, silent = _heard(evidence)
    alone = added(z)
    unit = deviation(alone)
    if evidence.text is None and evidence.captions is None:
        silent[FELLOWS] = "needs captions"
    elif unit is None:
        silent[FELLOWS] = "finds all pairs alike"
    else:
        shared = lift(alone, evidence.caption_space, evidence.seed)
        if np.ptp(shared) > 0:
            raw[FELLOWS], z[FELLOWS] = shared, WEIGHT * unit * shared
        else:
            silent[FELLOWS] = "finds all pairs alike"
    return Testimony(alone + z.get(FELLOWS, 0.0), alone, z, raw, tuple(z), silent)


def added(z: dict[str, Scores]) -> Scores:
    """Return the sum (n,) of the witnesses' z as in VOICES, of those who spoke."""
    total = np.zeros(len(next(iter(z.values()))))
    for voices in VOICES:
        spoke = [[z[name] for name in voice if name in z] for voice in voices]
        heard = [np.sum(those, axis=0) for those in spoke if those]
        total += np.max(heard, axis=0) if heard else 0.0
    return total


def decide(evidence: Evidence, said: Testimony, rate: float = FALSE_DISCOVERY_RATE) -> Calibrated:
    """Return who is flagged, alone or in a group of like captions, at a false-discovery rate.

    Who is not in a group is judged by what the others that are not in one say: honest pairs share captions with a
    campaign, too.
    """
    if FELLOWS not in said.spoke:
        return calibrate(said.score, rate)
    captions, left, unit = evidence.caption_space, said.score.copy(), deviation(said.alone)
    found = groups(said.alone, captions, rate, seed=evidence.seed)
    if found and unit is not None:
        rest = np.setdiff1d(np.arange(len(left)), np.concatenate(found))
        left[rest] = said.alone[rest] + WEIGHT * unit * lift(said.alone[rest], Part(captions, rest), evidence.seed)
    return calibrate(left, rate, found)


def _heard(evidence: Evidence) -> tuple[dict[str, Scores], dict[str, Scores], dict[str, str]]:
    """Return the witnesses' raw scores, their robust z, and the reasons of those who say nothing."""
    raw: dict[str, Scores] = {}
    z: dict[str, Scores] = {}
    silent: dict[str, str] = {}
    for witness in WITNESSES:
        lacking = missing(witness, Look(), evidence)
        if lacking is not None:
            silent[witness.name] = f"needs {lacking}"
            continue
        raw[witness.name] = Chosen(witness.name, partial(score, witness, Look()))(evidence)
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
    return raw, z, silent
