"""The grid of detection: every detector on every attack, by the eyes of the model that was trained on it.

    BEZOAR_DATA=… python -m studies.detection [WORD …] [--seeds 100 101 …] [--list] [--again [DETECTOR …]]

WORDs choose the cells whose name holds all of them: generated/badnets-120/100, cifar10 @independent, loop-share-2,
+wrong-5, never-poisoned. Models are those of `studies.grid`, trained there if need be. What has been measured is not
measured again, unless by `--again`: the detectors that it names, or all. A detector that came into the table since is
measured by itself. Figures go to docs/studies/detection.parquet, a row a detector and measure; those of seeds below
100, which are for choosing, stay in runs/detection. `python -m studies.detection_pages` puts them into
docs/detection.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray

import bezoar
from bezoar.detection.detector import CHEAP, missing
from bezoar.detection.detectors import DETECTORS, parse
from bezoar.detection.evidence import Look
from bezoar.detection.excerpt import excerpt
from bezoar.run import BezoarError, Run, duration, random
from studies import grid
from studies.detection_early import early_fit
from studies.detection_loop import filtered
from studies.detection_measure import decided, figures
from studies.detection_open import asked_openly
from studies.detection_results import keep_rows, known
from studies.detection_table import FORMS, OPEN, OPEN_ATTACKS, Job, all_jobs
from studies.detection_victims import asr_of, independent, pairs_of, victim

RUNS = Path("runs/detection")
DEFAULT, ENCODING, LOOP = "default", "encoding", "loop"
CLEAN_SAMPLE = 1000
LOOK_SECONDS = 60.0
SECONDS = {"low": None, "high": None, "measure": "seconds"}


def main() -> None:
    """Do what was asked for and is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(100, 120)))
    parser.add_argument("--list", action="store_true", help="say what is left, and stop")
    parser.add_argument("--again", nargs="*", metavar="DETECTOR", help="measure these again; all, where none is named")
    asked = parser.parse_args()
    jobs = [job for job in all_jobs(asked.seeds) if all(word in job.name for word in asked.words)]
    measured = known(RUNS)
    left = [(job, names) for job in jobs if (names := wanted(job, measured.get(job.name, set()), asked.again))]
    seconds = sum(cost(job) for job, _ in left)
    print(f"{len(jobs)} cells, {len(left)} left: about {duration(seconds)} on one core.", flush=True)
    for number, (job, names) in enumerate(left):
        if asked.list:
            print(f"  {job.name:<50} {duration(cost(job)):<12} {', '.join(names)}")
            continue
        started = time.monotonic()
        rows = run(job, names)
        keep_rows(described(job), rows, RUNS)
        took = duration(time.monotonic() - started)
        print(f"{job.name}: {took}, {headline(rows)}; {len(left) - number - 1} left", flush=True)


def cost(job: Job) -> float:
    """Return about how many seconds a cell takes on one core: a look, and a training where there is no model yet."""
    trained = any((grid.RUNS / job.cell.name).glob("*/model/open_clip_config.json"))
    training = grid.cost(job.cell)
    return LOOK_SECONDS + (0.0 if trained else training) + (training if job.loop else 0.0)


def wanted(job: Job, measured: set[str], again: list[str] | None) -> list[str]:
    """Return the detectors that a cell is to be measured by: those of the table that it lacks, and those `again`."""
    every = [LOOP] if job.loop else [DEFAULT, ENCODING, *(detectors(job) if job.poisons else [])]
    return [name for name in every if name not in measured or (again is not None and (not again or name in again))]


def detectors(job: Job) -> list[str]:
    """Return the detectors of a cell by their columns: the table and its forms, the costly ones of thorough cells."""
    table = [name for name, row in DETECTORS.items() if row.cost <= CHEAP or job.thorough]
    asked = OPEN if job.encoder == "victim" and job.attack in OPEN_ATTACKS and not job.setting else ()
    return [*table, *FORMS, *asked]


def described(job: Job) -> dict[str, Any]:
    """Return what all rows of a cell share."""
    plan = victim(job)[1]
    return {
        "cell": job.name,
        "set": job.cell.set,
        "attack": job.attack,
        "poisons": job.poisons,
        "setting": job.setting,
        "encoder": job.encoder,
        "loop": job.loop,
        "seed": job.seed,
        "pairs": len(grid.training_pairs(job.cell)),
        "planted": len(plan.keys) if plan else 0,
        **asr_of(job, RUNS),
    }


def run(job: Job, names: list[str]) -> list[dict[str, Any]]:
    """Look at a cell with these detectors, and return its rows."""
    if job.loop:
        return _named(LOOP, filtered(job, known_scan(job), RUNS))
    scan, evidence = scanned(job)
    table = parquet.read_table(scan / "scores.parquet")
    keys, scores = table["key"].to_pylist(), np.array(table["score"].to_pylist(), float)
    read = np.isfinite(scores)
    planted = truth(job, keys)
    seconds = Run.load(scan, "scan").get("seconds")
    rows: list[dict[str, Any]] = []
    if DEFAULT in names:
        flagged = np.array([bool(one) for one in table["flagged"].to_pylist()])
        if planted[read].any():
            rows += _named(DEFAULT, figures(scores[read], planted[read], seed=job.seed))
        rows += _named(DEFAULT, decided(flagged[read], planted[read]))
        rows += _named(DEFAULT, [{**SECONDS, "value": seconds["score"], "n": int(read.sum())}])
    if ENCODING in names:
        rows += _named(ENCODING, [{**SECONDS, "value": seconds["embed"], "n": int(read.sum())}])
    for name in names:
        if name not in (DEFAULT, ENCODING):
            rows += _named(name, judged(job, name, evidence, planted[read]))
    return rows


def scanned(job: Job) -> tuple[Path, bezoar.Evidence]:
    """Scan the cell's pairs with its encoder; return the folder of the scan, and all that there was to see.

    A detector of our own is handed the evidence and keeps it; its column says nothing.
    """
    kept: list[bezoar.Evidence] = []

    def evidence(given: bezoar.Evidence) -> NDArray[np.float64]:
        kept.append(given)
        return np.zeros(len(given))

    stranger = independent(job) if job.poisons else None
    folder = RUNS / "scans" / job.name
    bezoar.scan(
        pairs_of(job),
        to=folder,
        model=victim(job)[0] if job.encoder == "victim" else stranger,
        independent=stranger,
        detectors=["cosine-filter", evidence] if stranger else [evidence],
        seed=job.seed,
        force=True,
    )
    return folder, kept[0]


def known_scan(job: Job) -> Path:
    """Return the scan of the same pairs without a loop, made before or now."""
    plain = replace(job, loop="")
    folder = RUNS / "scans" / plain.name
    return folder if grid.finished(folder, "scan") else scanned(plain)[0]


def truth(job: Job, keys: list[str]) -> NDArray[np.bool_]:
    """Return which pairs were planted, (n,)."""
    plan = victim(job)[1]
    return np.array([plan is not None and key in plan.keys for key in keys], bool)


def judged(job: Job, name: str, evidence: bezoar.Evidence, planted: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the rows of one detector, or the one that says why it was silent.

    Each looks at evidence in which nobody has looked before: seconds hold its own search for neighbours. What is
    costly sees all planted pairs and CLEAN_SAMPLE of the others, each of which stands for many.
    """
    detector = DETECTORS[name.partition("@")[0].partition(":")[0]]
    chosen = np.arange(len(planted))
    if detector.cost > CHEAP:
        clean = np.flatnonzero(~planted)
        drawn = random(job.seed, "clean sample").choice(clean, min(CLEAN_SAMPLE, len(clean)), replace=False)
        chosen = np.sort(np.concatenate([np.flatnonzero(planted), drawn]))
    if "early" in detector.needs and job.thorough:
        evidence = replace(evidence, early=early_fit(job, RUNS))
    lacking = missing(detector, Look(), evidence)
    if lacking is not None:
        return [{"measure": "silent", "value": None, "low": None, "high": None, "n": 0, "note": f"needs {lacking}"}]
    part = excerpt(evidence, chosen)
    started = time.monotonic()
    try:
        scores = (asked_openly(name) if name in OPEN else parse(name))(part)
    except BezoarError as refusal:
        return [{"measure": "silent", "value": None, "low": None, "high": None, "n": 0, "note": str(refusal)}]
    took = time.monotonic() - started
    weights = np.full(len(chosen), (~planted).sum() / (~planted[chosen]).sum())
    rows = figures(scores, planted[chosen], weights, job.seed)
    sample = len(chosen) if len(chosen) < len(planted) else None
    return [{**row, "sample": sample} for row in [*rows, {**SECONDS, "value": took, "n": len(chosen)}]]


def headline(rows: Iterable[dict[str, Any]]) -> str:
    """Return what the cell's line on the terminal says."""
    told = ("auroc", "average-precision", "flagged", "asr-after", "accuracy-after")
    own = [row for row in rows if row["detector"] in (DEFAULT, LOOP) and row["measure"] in told]
    return ", ".join(f"{row['measure']} {row['value']:.3f}" for row in own)


def _named(detector: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "detector": detector} for row in rows]


if __name__ == "__main__":
    main()
