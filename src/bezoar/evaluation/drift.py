"""How far a model has moved: the cosine between what it said before and what it says now, tower by tower.

1 is a tower that stands where it stood. Whatever was stored of the old model (an index, a table of vectors) answers
to the new one only as far as these cosines are near 1.
"""

from __future__ import annotations

import numpy as np

from bezoar.embeddings import unit
from bezoar.evaluation.bench import Bench
from bezoar.evaluation.measure import Measure, mean
from bezoar.evaluation.protocol import among, protocol
from bezoar.evaluation.retrieval import captions_of


def drift(before: Bench, after: Bench) -> list[Measure]:
    """Return `old-new-cosine-image` and `old-new-cosine-text`, means over pictures and over unique captions.

    `before` and `after` are two models before the same pairs; values lie in -1…1, intervals are a bootstrap's.
    """
    captions = list(dict.fromkeys(captions_of(before.pairs).texts))
    cosines = {
        "image": (unit(before.plain) * unit(after.plain)).sum(axis=1),
        "text": (before.texts(captions) * after.texts(captions)).sum(axis=1),
    }
    counted = {"image": among(len(before), "picture"), "text": f"{len(captions):,} unique captions"}
    canvas, seed = f"{before.canvas.side} px", before.setting.seed
    return [
        mean(
            f"old-new-cosine-{tower}",
            np.asarray(values, np.float64),
            protocol(queries=counted[tower], canvas=canvas, cosine="of a vector of the old model with that of the new"),
            unit="cosine",
            seed=seed,
        )
        for tower, values in cosines.items()
    ]
