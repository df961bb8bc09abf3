"""The grid of defences: attack × recipe, then repairs of the poisoned models, and whether the backdoor comes back.

    BEZOAR_DATA=… python -m studies.defences [WORD …] [--seeds 100 101 102] [--list]

WORDs choose the cells whose name holds all of them: generated/badnets/safeclip/100. Poisoned models are those of
`studies.grid`, trained there if need be. What has been measured is not measured again. Figures go to
docs/studies/defences.parquet, a row a measure; those of seeds below 100, which are for choosing, stay in runs/defences.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

import bezoar
from bezoar.run import BezoarError, Run, duration, random, writing
from bezoar.training.recipes import RECIPES
from studies import grid
from studies.cells import CELLS, SETS, Cell
from studies.defences_results import keep_rows, known_cells, stored_rows
from studies.defences_table import ADAPTED, ATTACKS, CELL_OF, CURVE, REPAIRS, SECOND_VICTIM, TRAININGS, Defence
from studies.grid import finished

RUNS = Path("runs/defences")
CLEAN_PAIRS = 1600
LEAST_TRAINING = 20.0  # CPU seconds: what took less was there before
TAKEN = 0.7
MEASURES = ("zero-shot-top1", "asr", "asr-base", "asr-true-class", "psr", "psr-base", "head-top1", "asr-head")
RETRIEVAL = ("r@1-image-to-text", "r@1-text-to-image")


@dataclass(frozen=True)
class Job:
    """One cell: a defence against an attack on a set and seed, on the victim that was trained with `victim`."""

    set: str
    attack: str
    defence: Defence
    seed: int
    victim: str = "clip"

    @property
    def name(self) -> str:
        """Set, attack, victim where it is not plain CLIP, defence, seed."""
        victim = () if self.victim == "clip" else (self.victim,)
        return "/".join([self.set, self.attack, *victim, self.defence.name, str(self.seed)])

    @property
    def poisoned(self) -> Cell:
        """The cell of the poisoned model in `studies.grid`."""
        attack = CELL_OF.get((self.set, self.attack), self.attack)
        cell = next(cell for cell in CELLS if (cell.set, cell.attack) == (self.set, attack))
        return cell.at(self.seed)

    @property
    def described(self) -> dict[str, Any]:
        """What all rows of the cell share."""
        return {
            "cell": self.name,
            "set": self.set,
            "attack": self.attack,
            "defence": self.defence.name,
            "kind": self.defence.kind,
            "setting": self.defence.setting,
            "victim": self.victim,
            "seed": self.seed,
        }


def main() -> None:
    """Do what was asked for and is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    parser.add_argument("--list", action="store_true", help="say what is left, and stop")
    asked = parser.parse_args()
    jobs = [job for seed in asked.seeds for job in all_jobs(seed) if all(word in job.name for word in asked.words)]
    known = known_cells(RUNS)
    left = [job for job in jobs if job.name not in known]
    print(f"{len(jobs)} cells, {len(left)} left.", flush=True)
    for job in left:
        if asked.list:
            print(f"  {job.name}")
            continue
        if not took(job):
            print(f"{job.name}: not tested, the attack does not take", flush=True)
            continue
        started = time.monotonic()
        rows = run(job)
        keep_rows(job.described, rows, RUNS)
        print(f"{job.name}: {duration(time.monotonic() - started)}, {_headline(rows)}", flush=True)


def all_jobs(seed: int) -> Iterator[Job]:
    """Yield the cells of a seed in the order of their worth: trainings, repairs, the second victim, adaptation."""
    for name, attacks in ATTACKS.items():
        yield from (Job(name, attack, defence, seed) for attack in attacks for defence in TRAININGS)
        yield from (Job(name, attack, defence, seed) for attack in attacks for defence in REPAIRS)
    yield from (Job("generated", "badnets", defence, seed) for defence in CURVE)
    yield Job("generated", "badnets", SECOND_VICTIM, seed)
    yield from (Job("generated", "badnets", defence, seed, SECOND_VICTIM.name) for defence in REPAIRS)
    yield from (Job("generated", attack, defence, seed) for attack in ("badnets", "blended") for defence in ADAPTED)


def took(job: Job) -> bool:
    """Say whether the attack takes on plain CLIP at this seed: what did not cannot be defended against."""
    if job.defence.name == "clip":
        return True
    plain = replace(job, defence=TRAININGS[0], victim="clip")
    rows = [row for row in stored_rows(RUNS) if row["cell"] == plain.name and row["measure"] in ("asr", "psr")]
    return not rows or rows[0]["value"] >= TAKEN


def run(job: Job) -> list[dict[str, Any]]:
    """Train or repair, measure, and return the rows of a cell."""
    return _KINDS[job.defence.kind](job)


def train(job: Job, defence: Defence) -> tuple[Path, float | None]:
    """Return the model that a recipe makes of the poisoned pairs, and its CPU seconds (None where it was there)."""
    cell, chosen = job.poisoned, SETS[job.set]
    before = time.process_time()
    if defence.recipe == "clip":
        model = grid.train(cell)[0]
        return model, _spent(model, before)
    pairs, plan = grid.training_pairs(cell), plan_of(cell)
    folder = RUNS / job.set / job.attack / defence.name / str(job.seed)
    scan = None
    if "scan" in defence.uses:
        scan = scanned(job, grid.train(cell)[0])
    recipe = RECIPES[defence.recipe] if isinstance(defence.recipe, str) else defence.recipe
    longer = recipe.settings.epochs / RECIPES["clip"].settings.epochs
    before = time.process_time()
    bezoar.train(
        pairs,
        to=folder / "model",
        recipe=recipe,
        scan=scan,
        plan=plan,
        canvas=chosen.canvas,
        epochs=round(chosen.epochs * longer),
        augmentation=chosen.augmentation,
        seed=job.seed,
    )
    return folder / "model", _spent(folder / "model", before)


def _spent(model: Path, before: float) -> float | None:
    """Return the CPU seconds since `before`, None where the model was there or a part of its training was."""
    seconds = time.process_time() - before
    return seconds if seconds > LEAST_TRAINING and not Run.load(model).get("resumed") else None


def scanned(job: Job, model: Path) -> Path:
    """Return the scan of the poisoned pairs by the model that was trained on them."""
    cell = job.poisoned
    scan = RUNS / job.set / job.attack / job.victim / "scan" / str(job.seed)
    bezoar.scan(grid.training_pairs(cell).with_plan(plan_of(cell)), to=scan, model=model, seed=job.seed)
    return scan


def plan_of(cell: Cell) -> bezoar.Plan:
    """Return the plan of a cell, drawn anew: it is the same for the same seed."""
    plan = grid.train(cell)[1]
    assert plan is not None
    return plan


def _trained(job: Job) -> list[dict[str, Any]]:
    model, seconds = train(job, job.defence)
    return measured(job, model, seconds)


def victim(job: Job) -> Path:
    """Return the poisoned model that a repair begins with."""
    if job.victim == "clip":
        return grid.train(job.poisoned)[0]
    return train(replace(job, victim="clip"), SECOND_VICTIM)[0]


def repaired(job: Job) -> tuple[Path, float | None]:
    """Return the model that a repair makes, and its CPU seconds."""
    cell, defence = job.poisoned, job.defence
    model, pairs = victim(job), clean_pairs(job)
    folder = RUNS / job.set / job.attack / job.victim / defence.name / str(job.seed)
    if finished(folder, "repair"):
        return folder, None
    options = dict(defence.options)
    if "scan" in defence.uses:
        pairs = grid.training_pairs(cell).with_plan(plan_of(cell))
        scan = scanned(job, model)
        options["scan"] = misled(scan, defence.flags, job.seed) if defence.flags else scan
    if "plan" in defence.uses:
        options["plan"] = plan_of(cell)
    before = time.process_time()
    bezoar.repair(
        model, to=folder, recipe=defence.recipe, pairs=pairs, seed=job.seed, prompts=grid.prompts(cell), **options
    )
    resumed = Run.load(folder).get("resumed")
    return folder, None if resumed else time.process_time() - before


def misled(scan: Path, flags: str, seed: int) -> Path:
    """Return a copy of a scan that errs: "half" of the 2 % that it suspects most are others, or "random": no score says
    anything."""
    folder = scan.with_name(f"{scan.name}-{flags}")
    if not (folder / "scores.parquet").is_file():
        shutil.copytree(scan, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("scores.parquet"))
        table = parquet.read_table(scan / "scores.parquet")
        column = "alone" if "alone" in table.column_names else "score"  # as `stored_scores` reads it
        scores = table[column].to_numpy(zero_copy_only=False).copy()
        draw = random(seed, "misled", flags)
        order = np.argsort(-scores)
        top = order[: len(scores) // 50]
        if flags == "random":
            scores = draw.permutation(scores)
        else:
            swapped = draw.choice(top, len(top) // 2, replace=False)
            others = draw.choice(order[len(top) :], len(swapped), replace=False)
            scores[swapped], scores[others] = scores[others], scores[swapped]
        place = table.schema.get_field_index(column)
        with writing(folder / "scores.parquet") as file:
            parquet.write_table(table.set_column(place, column, pa.array(scores)), file)
    return folder


def clean_pairs(job: Job) -> bezoar.Pairs:
    """Return pairs that nobody has poisoned: drawn for this, or of CIFAR-10 some that the victim was trained on."""
    if job.set != "generated":
        return grid.training_pairs(job.poisoned).select(_never_planted(job))
    return bezoar.open_pairs(_drawn("clean", job.seed))


def _drawn(split: str, seed: int) -> Path:
    folder = RUNS / split / str(seed)
    if not (folder / "classes.json").is_file():
        bezoar.synthesize(folder, CLEAN_PAIRS, seed=seed, side=grid.SIDE, split=split)
    return folder


def _never_planted(job: Job) -> list[int]:
    """Return rows of the training set that the plan left alone: there are no other pictures of CIFAR-10 here."""
    touched = {edit.key for edit in plan_of(job.poisoned).planted}
    rows = [row for row, key in enumerate(grid.training_pairs(job.poisoned).keys) if key not in touched]
    return sorted(random(job.seed, "clean pairs").choice(rows, CLEAN_PAIRS, replace=False).tolist())


def _repaired(job: Job) -> list[dict[str, Any]]:
    if job.defence.name == "none":
        return measured(job, victim(job), None)
    try:
        model, seconds = repaired(job)
    except BezoarError as refusal:
        print(f"{job.name}: not possible, {refusal}", flush=True)
        return []
    return measured(job, model, seconds)


def _adapted(job: Job) -> list[dict[str, Any]]:
    cell = job.poisoned
    repair = replace(job, defence=replace(job.defence, name=job.defence.name.removeprefix("adapted-"), kind="repair"))
    model = victim(job) if repair.defence.name == "none" else repaired(repair)[0]
    # A model that was not repaired goes on for as long as clean fine-tuning takes.
    length = {"steps": 220, "learning_rate": 2e-3} if repair.defence.name == "none" else {}
    rows = bezoar.evaluate_after_adaptation(
        model,
        to=RUNS / job.name,
        benign=_drawn("benign", job.seed),
        plan=plan_of(cell),
        images=grid.test_pairs(cell),
        beside=grid.train(cell.clean)[0],
        prompts=grid.prompts(cell),
        seed=job.seed,
        **length,
    ).summary["rows"]
    return [_row(job, row, None) for row in rows if row["name"].startswith("asr")]


_KINDS: dict[str, Callable[[Job], list[dict[str, Any]]]] = {
    "training": _trained,
    "repair": _repaired,
    "adaptation": _adapted,
}


def measured(job: Job, model: Path, seconds: float | None) -> list[dict[str, Any]]:
    """Return the rows of one model."""
    cell, plan, test = job.poisoned, plan_of(job.poisoned), grid.test_pairs(job.poisoned)
    rows = bezoar.evaluate(
        model,
        to=RUNS / "measured" / job.name,
        images=test,
        pairs=test if job.set == "generated" else None,
        plan=plan,
        planted=grid.training_pairs(cell) if any(goal.images for goal in plan.goals) else None,
        prompts=grid.prompts(cell),
        force=True,
    ).summary["rows"]
    return [_row(job, row, seconds) for row in rows if row["name"] in (*MEASURES, *RETRIEVAL)]


def _row(job: Job, row: dict[str, Any], seconds: float | None) -> dict[str, Any]:
    plan, beside = plan_of(job.poisoned), row["beside"] or {}
    return {
        "measure": row["name"],
        "protocol": row["protocol"],
        "value": row["value"],
        "low": row["low"],
        "high": row["high"],
        "n": row["n"],
        "beside": beside.get("value"),
        "planted": len(plan.keys),
        "pairs": len(grid.training_pairs(job.poisoned)),
        "cpu_seconds": seconds,
    }


def _headline(rows: list[dict[str, Any]]) -> str:
    told = ("zero-shot-top1", "asr", "psr", "asr-head", "asr-after-adaptation")
    return ", ".join(f"{row['measure']} {row['value']:.3f}" for row in rows if row["measure"] in told)


if __name__ == "__main__":
    main()
