"""Classifiers' tests of a picture by damage to it, carried over to pairs.

* A classifier is asked for a label and for how sure it stays of it. A pair is asked how well the damaged picture still
  fits the pair's own caption: no label, no list of classes and no clean set is needed.
* All three were made for a model in use, whose triggered pictures are few among honest ones. Here the model was
  trained on the very pairs, and its honest pairs fit well, too: expect less than the papers report.
* They are slow, so each takes the `rows` (b,) to look at, all by default, and answers for these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from bezoar.detection.changed import changed_fits, every_row, pictures
from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence, Look
from bezoar.detection.neighbours import Indices, chunks
from bezoar.detection.severities import CORRUPTIONS, SEVERITIES, corrupted
from bezoar.run import BezoarError, random

if TYPE_CHECKING:
    import torch

LAID_OVER = 16
FACTORS = (3, 5, 7, 9, 11)
_ROWS_AT_ONCE = 1 << 14
TECO_COST = len(CORRUPTIONS) * SEVERITIES


def strip(evidence: Evidence, _: Look, rows: Indices | None = None) -> Scores:
    """Return the mean fit to the own caption with other pictures laid over it, (b,): going on to fit is suspicious.

    STRIP, Gao et al., ACSAC 2019, arXiv 1902.06531: a trigger decides whatever else is in the picture, so the entropy
    of the answers stays low when clean pictures are laid over it. Here each picture is averaged with LAID_OVER others
    of the set (the paper has 100, of a clean set), and the fit to the caption stands for the certainty of the label.
    """
    if len(evidence) < 2:
        raise BezoarError("One pair has no others to lay over it.", "Give more pairs, or leave strip out.")

    def laid_over(own: torch.Tensor, asked: Indices) -> Iterator[torch.Tensor]:
        drawn = np.stack([_others(evidence, row) for row in asked.tolist()], axis=1)
        return ((own + pictures(evidence, others)) / 2 for others in drawn)

    return np.asarray(changed_fits(evidence, laid_over, every_row(evidence, rows)).mean(axis=1))


def scale_up(evidence: Evidence, _: Look, rows: Indices | None = None) -> Scores:
    """Return the mean fit to the own caption of the picture made 3, 5, 7, 9 and 11 times as bright, (b,).

    SCALE-UP, Guo et al., ICLR 2023, arXiv 2302.03251, section 5: pixels are multiplied and cut at white, and how many
    of the answers are still that of the picture itself is high where it is triggered. Here the fit to the caption
    stands for the same answer, in degrees.
    """

    def brighter(own: torch.Tensor, _: Indices) -> Iterator[torch.Tensor]:
        return ((own * factor).clamp(max=255) for factor in FACTORS)

    return np.asarray(changed_fits(evidence, brighter, every_row(evidence, rows)).mean(axis=1))


def teco(evidence: Evidence, _: Look, rows: Indices | None = None) -> Scores:
    """Return the deviation, over kinds of damage, of the severity at which the pair no longer fits, (b,).

    TeCo, Liu et al., CVPR 2023, arXiv 2303.18191: honest pictures lose their label at about the same severity of every
    corruption; triggered ones survive some and fall at once under others, so that their severities deviate. Here a
    picture is lost at the first severity, 1 to 5, that leaves less than half of what its fit exceeds the mean fit of
    strangers, and 6 where none does. Six kinds are asked instead of fifteen, see `bezoar.detection.severities`.
    """
    asked = every_row(evidence, rows)
    # The mean cosine of all pictures with all captions is the product of their mean unit vectors.
    strangers = float(_mean_direction(evidence, "image") @ _mean_direction(evidence, "text"))
    own = evidence.fit[asked]
    left = changed_fits(evidence, lambda seen, which: corrupted(seen, which, evidence.seed), asked)
    lost = left.reshape(-1, len(CORRUPTIONS), SEVERITIES) < ((own + strangers) / 2)[:, None, None]
    first = np.where(lost.any(axis=2), lost.argmax(axis=2) + 1, SEVERITIES + 1)
    return np.asarray(first.std(axis=1))


def _others(evidence: Evidence, row: int) -> Indices:
    drawn = random(evidence.seed, "strip", row).integers(len(evidence) - 1, size=LAID_OVER)
    return np.asarray(drawn + (drawn >= row), np.int64)


def _mean_direction(evidence: Evidence, modality: Literal["image", "text"]) -> Scores:
    table = evidence.vectors(Look(modality, "unit"))
    total = sum(np.asarray(table[rows]).sum(axis=0, dtype=np.float64) for rows in chunks(len(evidence), _ROWS_AT_ONCE))
    return np.asarray(total / len(evidence), np.float64)
