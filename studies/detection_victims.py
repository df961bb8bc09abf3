"""The models of the grid of detection: the victim, one that never saw the poison, and how far the attack took.

* A model is trained once, by `studies.grid`, and found again by its name and the state of what it was trained on.
* The independent model is the never-poisoned one of another seed: of the generated world it has seen other pictures,
  of the real sets, of which there are no others, the same pictures with the captions that they had.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import bezoar
from bezoar.evaluation.intervals import wilson
from studies import grid
from studies.cells import OURS, SETS, Cell
from studies.detection_table import Job

FIRST = 100


@cache
def trained(cell: Cell) -> tuple[Path, bezoar.Plan | None]:
    """Return the model of a cell, trained now or before, and its plan."""
    return grid.train(cell)


def victim(job: Job) -> tuple[Path, bezoar.Plan | None]:
    """Return the model that was trained on the cell's pairs, and what was planted in them."""
    return trained(job.cell)


def pairs_of(job: Job) -> bezoar.Pairs:
    """Return the cell's pairs with what was planted."""
    pairs, plan = grid.training_pairs(job.cell), victim(job)[1]
    return pairs if plan is None else pairs.with_plan(plan)


def independent(job: Job) -> Path:
    """Return the never-poisoned model of the next seed, of those that the grid holds anyway."""
    step = (job.seed - FIRST + 1) % OURS + FIRST if job.seed >= FIRST else job.seed + 1
    return trained(job.cell.clean.at(step))[0]


def asr_of(job: Job, runs: Path) -> dict[str, Any]:
    """Return `asr` of the victim with its interval and n, whatever its goal is judged by; None where none is known."""
    if victim(job)[1] is None:
        return {"asr": None, "asr_low": None, "asr_high": None, "asr_n": None}
    value, low, high, n = success(measured(job, victim(job)[0], runs))
    return {"asr": value, "asr_low": low, "asr_high": high, "asr_n": n}


def measured(job: Job, model: Path, runs: Path) -> list[dict[str, Any]]:
    """Return the rows of `evaluate` for a model that was trained on the cell's pairs, or on some of them."""
    cell, plan = job.cell, victim(job)[1]
    test, labelled = grid.test_pairs(cell), SETS[cell.set].labelled
    shown = plan is not None and any(goal.images for goal in plan.goals)
    rows: list[dict[str, Any]] = bezoar.evaluate(
        model,
        to=runs / "measured" / cell.name / model.parent.name,
        images=test if labelled else None,
        pairs=None if labelled else test,
        plan=plan,
        planted=grid.training_pairs(cell) if shown else None,
        prompts=grid.prompts(cell),
    ).summary["rows"]
    return rows


def success(rows: list[dict[str, Any]]) -> tuple[float, float, float, int]:
    """Return the share of all goals' queries that succeed, ASR or PSR, its 95 % interval, and n."""
    own = [row for row in rows if row["name"] in ("asr", "psr")]
    n = sum(row["n"] for row in own)
    hits = round(sum(row["value"] * row["n"] for row in own))
    return hits / n, *wilson(hits, n), n


def accuracy(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of what the model is good for: zero-shot accuracy, or recall of captions where there are none."""
    names = {row["name"]: row for row in rows}
    return names.get("zero-shot-top1") or names["r@10-image-to-text"]
