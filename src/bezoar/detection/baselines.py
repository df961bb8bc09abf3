"""Rows of the table: published methods, most of them classifiers', as they carry over to image-text pairs.

* They stand here to be measured against; none of them is part of the default.
* Where a method was made for something else, its paper is cited as "after", and its module says what was changed.
"""

from __future__ import annotations

import numpy as np

from bezoar.detection import by_training, corruptions, distillation, frequency, mixture
from bezoar.detection.density import Scores
from bezoar.detection.detector import Detector
from bezoar.detection.evidence import Evidence, Look


def _safeclip_mixture(evidence: Evidence, _: Look) -> Scores:
    return mixture.low_odds(evidence.fit)


def _cosine_filter(evidence: Evidence, _: Look) -> Scores:
    assert evidence.independent is not None
    return -evidence.independent.astype(np.float64)


def _frequency(evidence: Evidence, _: Look) -> Scores:
    assert evidence.pixels is not None
    return frequency.high_frequencies(evidence.pixels)


BASELINES = (
    Detector(
        "abl",
        "Li et al., NeurIPS 2021, arXiv 2110.11571; for CLIP: Huang et al., ICLR 2025, arXiv 2502.01385",
        "How well the picture fits its caption after a fifth of the scan's own training: poison is learned early.",
        ("early",),
        (),
        by_training.abl,
        cost=1,
    ),
    Detector(
        "safeclip-mixture",
        "Yang et al., ICML 2024, arXiv 2310.05862",
        "The odds that the fit is of the lower of two normal distributions: clip-score, as odds.",
        ("similarity",),
        (),
        _safeclip_mixture,
    ),
    Detector(
        "cosine-filter",
        "Yang et al., ICML 2023, arXiv 2209.15266",
        "How badly the picture fits its caption in the eyes of a reference model (--independent).",
        ("independent",),
        (),
        _cosine_filter,
        cost=1,
    ),
    Detector(
        "frequency",
        "after Zeng et al., ICCV 2021, arXiv 2104.03413",
        "How much more high-frequency energy the picture has than the others of the set.",
        ("pictures",),
        (),
        _frequency,
    ),
    Detector(
        "strip",
        "after Gao et al., ACSAC 2019, arXiv 1902.06531",
        "How well the picture still fits its caption with other pictures laid over it.",
        ("pictures", "fits"),
        (),
        corruptions.strip,
        cost=corruptions.LAID_OVER,
    ),
    Detector(
        "scale-up",
        "after Guo et al., ICLR 2023, arXiv 2302.03251",
        "How well the picture still fits its caption when it is made many times as bright.",
        ("pictures", "fits"),
        (),
        corruptions.scale_up,
        cost=len(corruptions.FACTORS),
    ),
    Detector(
        "teco",
        "after Liu et al., CVPR 2023, arXiv 2303.18191",
        "How unevenly kinds of damage take the fit away: at which severity of each it is lost.",
        ("pictures", "fits", "vectors"),
        (),
        corruptions.teco,
        cost=corruptions.TECO_COST,
    ),
    Detector(
        "cognitive-distillation",
        "after Huang et al., ICLR 2023, arXiv 2301.10908; for CLIP: Huang et al., ICLR 2025, arXiv 2502.01385",
        "How small a part of the picture is enough for the model to see the same.",
        ("pictures", "fits"),
        (),
        distillation.cognitive_distillation,
        cost=distillation.COST,
    ),
)
