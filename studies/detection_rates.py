"""Rates of poison that small data cannot reach, by simulated vectors.

    BEZOAR_DATA=… python -m studies.detection_rates [--seeds 100 101 102]

The image vectors of a victim (`generated/badnets-120`, through its scan by `studies.detection`, made now or before)
are thickened to PAIRS: a simulated vector lies at a random place between a random real one and one of its NEAREST of
the same kind, clean or planted. So bulk and poison keep their shape and how they lie to each other, at any rate.
Figures go to docs/studies/rates.parquet.

* This shows the bound that k neighbours of m references set, and not how an encoder behaves: one that is trained at
  another rate puts its poison elsewhere.
* Only what is looked at is drawn: m references of the whole set, and of the rest SCORED pairs of each kind at most, of
  which each stands for as many as it was drawn from.
* The real vectors, at the rate that they have, stand beside the simulated ones of that rate.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Density, Reference, Scores
from bezoar.detection.evidence import PURGED_SHARE
from bezoar.detection.neighbours import Vectors, nearest_references
from bezoar.detection.profile import profile_gap
from bezoar.detection.reference import Setting, choose
from bezoar.embeddings import load_embeddings
from bezoar.run import random
from studies.detection import known_scan, truth
from studies.detection_beside import keep_answer
from studies.detection_table import PLANTS, Job

PAIRS = 1_000_000
RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1)
SCORED = {"planted": 1_000, "clean": 20_000}
NEAREST = 10
FEW = 16  # the k of the published experiments
K, M = choose(None, PAIRS)
SIMULATED, REAL = "simulated", "real"
Mask = NDArray[np.bool_]


def main() -> None:
    """Measure every rate, seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    plant = PLANTS[0]
    for seed in parser.parse_args().seeds:
        job = Job(plant.cell(plant.first).at(seed), plant.attack, plant.first)
        stored = load_embeddings(known_scan(job) / "embeddings")
        same = {"cell": job.name, "set": job.cell.set, "attack": job.attack, "seed": seed}
        keep_answer("rates", same, measured(np.asarray(stored.image, np.float32), truth(job, stored.keys), seed))
        print(job.name, flush=True)


def measured(vectors: Vectors, planted: Mask, seed: int) -> list[dict[str, Any]]:
    """Return the rows of one victim: its own vectors (n, d), and as many as there are rates simulated."""
    own = float(planted.mean())
    rows = [{**row, "vectors": REAL, "rate": own} for row in real(vectors, planted, seed)]
    clean, poison = Cloud(vectors[~planted]), Cloud(vectors[planted])
    for rate in sorted((*RATES, own)):
        rows += [{**row, "vectors": SIMULATED, "rate": rate} for row in simulated(clean, poison, rate, seed)]
    return rows


class Cloud:
    """Vectors (n, d) of one kind, to draw more like them from."""

    def __init__(self, vectors: Vectors) -> None:
        nearest = min(NEAREST, len(vectors) - 1)
        self.vectors = vectors
        self.near = nearest_references(vectors, vectors, nearest, identity=np.arange(len(vectors))).indices

    def drawn(self, count: int, draw: np.random.Generator) -> Vectors:
        """Return vectors float32 (count, d), each at a random place between a real one and one of its nearest."""
        rows = draw.integers(len(self.vectors), size=count)
        others = self.near[rows, draw.integers(self.near.shape[1], size=count)]
        steps = draw.random((count, 1), dtype=np.float32)
        return np.asarray(self.vectors[rows] + steps * (self.vectors[others] - self.vectors[rows]), np.float32)


def simulated(clean: Cloud, poison: Cloud, rate: float, seed: int) -> list[dict[str, Any]]:
    """Return the rows of one rate: a set of PAIRS, of which what is looked at is drawn."""
    draw = random(seed, "rates", f"{rate:.6f}")
    count = round(rate * PAIRS)
    within = int(draw.hypergeometric(count, PAIRS - count, M))
    reference = np.concatenate([clean.drawn(M - within, draw), poison.drawn(within, draw)])
    left = {"planted": count - within, "clean": PAIRS - count - (M - within)}
    scored = {kind: min(SCORED[kind], left[kind]) for kind in left}
    vectors = np.concatenate([poison.drawn(scored["planted"], draw), clean.drawn(scored["clean"], draw)])
    truly = np.arange(len(vectors)) < scored["planted"]
    weights = np.where(truly, left["planted"] / scored["planted"], left["clean"] / scored["clean"])
    size = {"pairs": PAIRS, "planted": count}
    return [{**row, **size} for row in judged(looked(vectors, reference), truly, weights)]


def real(vectors: Vectors, planted: Mask, seed: int) -> list[dict[str, Any]]:
    """Return the rows of the victim's own vectors (n, d): m of them are the reference, the others are scored."""
    order = random(seed, "rates", REAL).permutation(len(vectors))
    reference, scored = order[:M], order[M:]
    rows = judged(looked(vectors[scored], vectors[reference]), planted[scored], np.ones(len(scored)))
    return [{**row, "pairs": len(vectors), "planted": int(planted.sum())} for row in rows]


def looked(vectors: Vectors, reference: Vectors) -> dict[str, Scores]:
    """Return what each detector says of vectors (n, d) that are not in the reference (m, d), (n,) each.

    One search serves all: the default's k and as many more neighbours as the purge may take.
    """
    count = Setting(K, len(reference), purge=PURGED_SHARE).purged_count
    own = nearest_references(reference, reference, K + count, identity=np.arange(len(reference)))
    density = Density(nearest_references(vectors, reference, K + count), Reference(own))
    few, usual = density.first(FEW), density.first(K)
    return {
        "k-distance": few.k_distance(),
        "slof": few.slof(),
        "dao": few.dao(),
        "profile-gap": profile_gap(usual.queries.distances, usual.floor),
        "density": density.purged(K, count).slof(),
    }


def judged(scores: dict[str, Scores], planted: Mask, weights: Scores) -> list[dict[str, Any]]:
    """Return AUROC and average precision of each detector, pairs counted as often as `weights` (n,) says."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    areas = {"auroc": roc_auc_score, "average-precision": average_precision_score}
    return [
        {"detector": name, "measure": measure, "value": float(area(planted, own, sample_weight=weights)), "n": n}
        for n in [int(planted.sum())]
        for name, own in scores.items()
        for measure, area in areas.items()
    ]


if __name__ == "__main__":
    main()
