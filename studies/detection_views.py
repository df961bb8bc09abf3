"""Accuracy against the cost of views: how few of them do, and whether the most suspicious fifth is enough.

    BEZOAR_DATA=… python -m studies.detection_views [WORD …] [--seeds 100 101 102] [--again]

Every cell is looked at through its scan by `studies.detection`, made now or before: its witnesses, and the fit of each
of the twelve views. WORDs choose cells whose name holds all of them; what was measured is passed over, unless by
`--again`. Figures go to docs/studies/views.parquet.

* The first so many views count, in the order of `bezoar.views.VIEWS`: nothing was chosen. Each is a forward pass of the
  image tower, and the picture itself is one more.
* In part: the views of the SUSPECTED share of the pairs, by the default without views, and of a SAMPLE at random. The
  sample says what is ordinary: z is measured from its median in its deviations, for among suspects nobody knows. Who
  was not asked counts as that median (z = 0).
* The sum is the default's: VOICES, and then what like captions are suspected of.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from bezoar.detection.default import WITNESSES, added
from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence, Look
from bezoar.detection.neighbours import Indices
from bezoar.detection.robust import deviation, robust_z
from bezoar.detection.together import together
from bezoar.detection.truth import highest, judge
from bezoar.embeddings import load_embeddings
from bezoar.run import random
from studies.detection import known_scan, truth
from studies.detection_beside import answered, keep_answer
from studies.detection_table import PLANTS, Job

SUSPECTED, SAMPLE = 0.2, 0.05
# How many views, and of whom.
ASKED = ((0, 1.0), (1, 1.0), (2, 1.0), (4, 1.0), (8, 1.0), (12, 1.0), (4, SUSPECTED), (12, SUSPECTED))
# Of CIFAR-10 one seed; of the generated world all that were asked for.
ONE_SEED = "cifar10"
SETS = {"generated": ("badnets", "blended", "nashville", "targeted", "clean-label"), ONE_SEED: ("badnets",)}
LOOKERS = tuple(witness for witness in WITNESSES if "views" in witness.needs)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    parser.add_argument("--again", action="store_true", help="measure again what has been measured")
    asked = parser.parse_args()
    for job in jobs(asked.seeds):
        wanted = all(word in job.name for word in asked.words)
        if wanted and (asked.again or job.name not in answered("views", job.seed)):
            seen = seen_of(job)
            same = {"cell": job.name, "set": job.cell.set, "attack": job.attack, "poisons": job.poisons}
            keep_answer("views", {**same, "seed": job.seed}, measured(seen))
            print(job.name, flush=True)


def jobs(seeds: list[int]) -> Iterator[Job]:
    """Yield the cells that are asked, the first seed of all before the next."""
    for place, seed in enumerate(seeds):
        for plant in PLANTS:
            if plant.attack in SETS.get(plant.set, ()) and (place == 0 or plant.set != ONE_SEED):
                yield Job(plant.cell(plant.first).at(seed), plant.attack, plant.first)


@dataclass(frozen=True)
class Seen:
    """What a scan saw of n pairs: the z of witnesses without views by name, (n,) each; vectors and views; the truth."""

    z: dict[str, Scores]
    evidence: Evidence
    planted: NDArray[np.bool_]


def seen_of(job: Job) -> Seen:
    """Return what the cell's scan saw, of the pairs that it could score."""
    scan = known_scan(job)
    table, stored = parquet.read_table(scan / "scores.parquet"), load_embeddings(scan / "embeddings")
    read = np.flatnonzero(np.isfinite(np.array(table["score"].to_pylist(), float)))
    z: dict[str, Scores] = {}
    for witness in WITNESSES:
        if witness not in LOOKERS and witness.name in table.column_names:
            standard = robust_z(np.array(table[witness.name].to_pylist(), float)[read])
            z |= {} if standard is None else {witness.name: standard}
    assert stored.view_similarity is not None
    evidence = Evidence(
        image=np.asarray(stored.image, np.float32)[read],
        text=np.asarray(stored.text, np.float32)[read],
        view_similarity=stored.view_similarity[read],
        seed=job.seed,
    )
    return Seen(z, evidence, truth(job, table["key"].to_pylist())[read])


def measured(seen: Seen) -> list[dict[str, Any]]:
    """Return the rows of a cell: AUROC and average precision for every number of views, and what they cost."""
    rows = []
    for views, share in ASKED:
        scores, passes = asked_of(seen, views, share)
        found = judge(scores, seen.planted)
        same = {"views": views, "share": share, "passes": passes, "n": int(seen.planted.sum())}
        rows.append({**same, "measure": "auroc", "value": found.auroc})
        rows.append({**same, "measure": "average-precision", "value": found.average_precision})
    return rows


def asked_of(seen: Seen, views: int, share: float) -> tuple[Scores, float]:
    """Return the default's scores (n,) with the first `views` of the `share` most suspected, and passes a pair."""
    everybody = np.arange(len(seen.planted))
    if share == 1.0 or not views:
        return with_views(seen, views, everybody, everybody), 1.0 + views
    suspects = highest(with_views(seen, 0, everybody, everybody), share)
    draw = random(seen.evidence.seed, "sample of views")
    sample = draw.choice(len(everybody), round(SAMPLE * len(everybody)), replace=False)
    asked = np.union1d(suspects, sample)
    scores = with_views(seen, views, asked, np.searchsorted(asked, sample))
    return scores, 1.0 + views * len(asked) / len(everybody)


def with_views(seen: Seen, views: int, asked: Indices, ordinary: Indices) -> Scores:
    """Return the default's scores (n,) where only the pairs `asked` show views; `ordinary` of these say what z is."""
    evidence, z = seen.evidence, dict(seen.z)
    if views and evidence.view_similarity is not None:
        part = Evidence(similarity=evidence.fit[asked], view_similarity=evidence.view_similarity[asked, :views])
        for witness in LOOKERS:
            raw = witness.function(part, Look())
            unit = deviation(raw[ordinary])
            if unit is not None:
                z[witness.name] = np.zeros(len(seen.planted))
                z[witness.name][asked] = (raw - np.median(raw[ordinary])) / unit
    return together(added(z), evidence.caption_space, seed=evidence.seed)


if __name__ == "__main__":
    main()
