"""The grid: attack × training × measure, a cell a set, attack and seed.

    BEZOAR_DATA=… python -m studies.grid [WORD …] [--seeds 100 101 102] [--list] [--measure-again]

WORDs choose the cells whose name holds one of them. The cost of what is left is printed first. A cell that has been
trained is never trained again: its model lies in runs/grid under the fingerprint of pairs, plan and settings, for
this study and for those of later defences. Figures go to docs/studies/grid.parquet, a row a measure; those of seeds
below 100, which are for choosing, to runs/grid/trials.parquet.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import bezoar
from bezoar.demo import SIDE, TEST_PAIRS
from bezoar.run import Run, duration, fingerprint
from studies.cells import CELLS, SETS, TUNING_RATE, Cell
from studies.results import keep_rows, known_cells
from studies.wrong_captions import wrong_captions

RUNS = Path("runs/grid")
PAIRS = 8000


def main() -> None:
    """Train and measure what was asked for and is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only cells whose name holds one of these")
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    parser.add_argument("--list", action="store_true", help="say what is left and what it costs, and stop")
    parser.add_argument("--measure-again", action="store_true", help="measure models that have been measured")
    asked = parser.parse_args()
    cells = [cell for cell in all_cells(asked.seeds) if not asked.words or any(w in cell.name for w in asked.words)]
    known = set() if asked.measure_again else known_cells(RUNS)
    left = [cell for cell in cells if cell.name not in known]
    print(f"{len(cells)} cells, {len(left)} left: about {duration(sum(map(cost, left)))} on one core.", flush=True)
    if asked.list:
        print("\n".join(f"  {cell.name:<50} {duration(cost(cell))}" for cell in left))
        return
    for number, cell in enumerate(left):
        started = time.monotonic()
        rows = run(cell)
        keep_rows(cell, rows, RUNS)
        rest = sum(map(cost, left[number + 1 :]))
        took = duration(time.monotonic() - started)
        print(f"{cell.name}: {took}; {len(left) - number - 1} left, about {duration(rest)}", flush=True)


def all_cells(seeds: list[int]) -> Iterator[Cell]:
    """Yield the cells of these seeds, the never-poisoned model of a set and seed before those that need it."""
    for cell in CELLS:
        for seed in seeds[: cell.seeds]:
            yield cell.at(seed)


def cost(cell: Cell) -> float:
    """Return about how many seconds a cell takes on one core."""
    chosen = SETS[cell.set]
    return chosen.seconds * (cell.epochs or chosen.epochs) / chosen.epochs + 10


def run(cell: Cell) -> list[dict[str, Any]]:
    """Train the cell where it has not been trained, measure it, and return its rows."""
    model, plan = train(cell)
    chosen, test = SETS[cell.set], test_pairs(cell)
    clean = None if cell.spec is None else train(cell.clean)[0]
    rows = []
    for jpeg in cell.measured:
        name = "measured" if jpeg is None else f"measured-jpeg-{jpeg}"
        measured = bezoar.evaluate(
            model,
            to=model.parent / name,
            images=test if chosen.labelled else None,
            pairs=test if not chosen.labelled or cell.set == "generated" else None,
            plan=plan,
            planted=training_pairs(cell) if plan is not None and any(goal.images for goal in plan.goals) else None,
            beside=clean,
            jpeg=jpeg,
            prompts=prompts(cell),
            force=True,
        ).summary["rows"]
        rows += [_row(cell, row, plan, model, jpeg) for row in measured]
    return rows


def train(cell: Cell) -> tuple[Path, bezoar.Plan | None]:
    """Return the cell's model, trained now or before, and its plan."""
    chosen, pairs = SETS[cell.set], training_pairs(cell)
    start = train(cell.clean)[0] if cell.learn else None
    plan = None
    if cell.spec is not None:
        spec = cell.spec.replace("{clean}", str(train(cell.clean)[0])) if "{clean}" in cell.spec else cell.spec
        plan = bezoar.plan_attack(spec, pairs, canvas=chosen.canvas, seed=cell.seed)
    settings: dict[str, Any] = {
        "epochs": cell.epochs or chosen.epochs,
        "augmentation": chosen.augmentation,
        "seed": cell.seed,
        "learn": cell.learn,
        "learning_rate": TUNING_RATE if cell.learn else None,
    }
    settings |= {"arch": cell.arch} if cell.arch else {}
    state = fingerprint(pairs.fingerprint, plan.fingerprint if plan else None, settings, str(start), chosen.canvas)
    folder = RUNS / cell.name / state[:12]
    canvas = None if start else chosen.canvas
    if not finished(folder / "model", "train"):
        bezoar.train(pairs, to=folder / "model", plan=plan, start=start, canvas=canvas, **settings)
    return folder / "model", plan


def finished(folder: Path, verb: str) -> bool:
    """Say whether a study's folder holds a finished run: its name says what was asked for, in any version of bezoar."""
    with suppress(bezoar.BezoarError):
        return Run.load(folder, verb).finished
    return False


def training_pairs(cell: Cell) -> bezoar.Pairs:
    """Return the pairs of the cell's set before anything is planted; those of the generated set are drawn once."""
    chosen = SETS[cell.set]
    if cell.set == "generated":
        pairs = bezoar.open_pairs(_world(cell.seed) / chosen.train)
    else:
        pairs = bezoar.open_pairs(_data() / chosen.train, prompts=chosen.prompts)
    return pairs.with_plan(wrong_captions(pairs, cell.wrong, cell.seed)) if cell.wrong else pairs


def test_pairs(cell: Cell) -> str:
    """Return where the cell's test pairs lie."""
    return str((_world(cell.seed) if cell.set == "generated" else _data()) / SETS[cell.set].test)


def prompts(cell: Cell) -> str | None:
    """Return the prompts of zero-shot classification."""
    return str(_world(cell.seed) / "test" / "prompts.txt") if cell.set == "generated" else SETS[cell.set].prompts


def _world(seed: int) -> Path:
    folder = RUNS / "worlds" / str(seed)
    if not (folder / "test" / "classes.json").is_file():
        bezoar.synthesize(folder / "train", PAIRS, seed=seed, side=SIDE, split="train")
        bezoar.synthesize(folder / "test", TEST_PAIRS, seed=seed, side=SIDE, split="test")
    return folder


def _data() -> Path:
    if "BEZOAR_DATA" not in os.environ:
        sys.exit("Set BEZOAR_DATA to the folder that docs/data.md describes.")
    return Path(os.environ["BEZOAR_DATA"])


def _row(cell: Cell, row: dict[str, Any], plan: bezoar.Plan | None, model: Path, jpeg: int | None) -> dict[str, Any]:
    beside = row["beside"] or {}
    trained = json.loads((model / "run.json").read_text())
    return {
        "measure": row["name"],
        "goal": row["goal"],
        "protocol": row["protocol"],
        "value": row["value"],
        "low": row["low"],
        "high": row["high"],
        "n": row["n"],
        "beside": beside.get("value"),
        "beside_low": beside.get("low"),
        "beside_high": beside.get("high"),
        "pairs": len(training_pairs(cell)),
        "planted": len(plan.keys) if plan else 0,
        "jpeg": jpeg,
        "seconds": trained["seconds"]["total"],
    }


if __name__ == "__main__":
    main()
