"""`bezoar demo`: the whole story on generated pairs, one job after another.

draw → plant → train (never poisoned, poisoned) → scan → clean → train again → compare → one page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bezoar.attacks import Plan
from bezoar.evaluation.measure import told
from bezoar.jobs.clean import clean
from bezoar.jobs.evaluate import evaluate
from bezoar.jobs.poison import poison
from bezoar.jobs.scan import scan
from bezoar.jobs.train import train
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.synthetic import synthesize
from bezoar.report.demo_story import tell
from bezoar.run import Answer, Progress, Run, Silent, duration, pick_device, random, write_bytes, write_json

TARGET = "moon"
SIDE = 40
TEST_PAIRS = 1200
DROPPED_SHARE = 0.02
EPOCHS = 12


@dataclass(frozen=True)
class Stage:
    """What every step of the story needs to know."""

    folder: Path
    seed: int
    device: str
    epochs: int
    progress: Progress

    def at(self, name: str) -> Path:
        """Return a folder of the story."""
        return self.folder / name


def demo(
    *,
    to: str | Path,
    seed: int = 0,
    controls: bool = False,
    pairs: int = 8000,
    planted: int = 120,
    epochs: int = EPOCHS,
    device: str = "auto",
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Draw `pairs`, plant `planted` of them, train, scan, clean, train again, and tell it on one page.

    Writes `summary.json` and `demo.html` into `to`; everything else lies in folders beside them. `controls` adds
    a model trained after dropping as many pairs at random. Started again, it goes on where it stopped.
    """
    progress = progress or Silent()
    run = Run.start(
        to,
        "demo",
        parameters={"pairs": pairs, "planted": planted, "epochs": epochs, "controls": controls},
        inputs={},
        seed=seed,
        force=force,
    )
    stage = Stage(run.path, seed, pick_device(device), epochs, progress)
    if not run.finished:
        models = 4 if controls else 3
        progress.say(
            f"Draws {pairs:,} pairs, plants {planted:,}, trains {models} small models, scans, drops, compares. "
            f"{stage.device}: about {duration(40 + models * epochs * pairs / 1200)}."
        )
        with run.step("draw"):
            _draw(stage, pairs)
        with run.step("plant"):
            poison(
                stage.at("pairs"),
                to=stage.at("poisoned"),
                attack=f"badnets:target={TARGET},count={planted}",
                canvas=SIDE,
                seed=seed,
            )
        plan = Plan.load(stage.at("poisoned"))
        measured = {}
        for name, source in (("never-poisoned", "pairs"), ("poisoned", "poisoned")):
            with run.step(name):
                measured[name] = _train_and_measure(stage, name, open_pairs(stage.at(source)), plan)
        with run.step("scan"):
            found = scan(
                stage.at("poisoned"),
                to=stage.at("scan"),
                model=stage.at("models/poisoned"),
                plan=plan,
                share=DROPPED_SHARE,
                seed=seed,
                device=stage.device,
                progress=progress,
            ).summary
        with run.step("clean"):
            clean(stage.at("scan"), to=stage.at("cleaned"), share=DROPPED_SHARE)
        kept = open_pairs(stage.at("cleaned"))
        with run.step("after-drop"):
            measured["after-drop"] = _train_and_measure(stage, "after-drop", kept, plan)
        if controls:
            with run.step("random-drop"):
                rest = _without_random(open_pairs(stage.at("poisoned")), pairs - len(kept), seed)
                measured["random-drop"] = _train_and_measure(stage, "random-drop", rest, plan)
        summary = _summary(measured, found)
        run.note("summary", "summary.json")  # brings the clock up to now
        summary["seconds"] = run.get("seconds")["total"]
        write_json(run.path / "summary.json", summary)
        page = tell(stage.folder, plan, summary, measured, run)
        write_bytes(run.path / "demo.html", page.encode())
        run.finish()
    return _answer(run)


def _draw(stage: Stage, pairs: int) -> None:
    with stage.progress.step("draw") as step:
        if not (stage.at("test") / "classes.json").is_file():
            synthesize(stage.at("pairs"), pairs, stage.seed, SIDE, "train")
            synthesize(stage.at("test"), TEST_PAIRS, stage.seed, SIDE, "test")
        step.note(f"{pairs:,} pairs")


def _train_and_measure(stage: Stage, name: str, pairs: Pairs, plan: Plan) -> dict[str, Any]:
    """Train one model from its own initialisation and return its metrics by name."""
    model = stage.at("models") / name
    stage.progress.say(f"{name.replace('-', ' ')}:")
    train(
        pairs,
        to=model,
        canvas=SIDE,
        epochs=stage.epochs,
        seed=stage.seed + (1000 if name.endswith("drop") else 0),
        device=stage.device,
        progress=stage.progress,
    )
    rows = evaluate(
        model,
        to=stage.at("measured") / name,
        pairs=stage.at("test"),
        plan=plan,
        prompts=str(stage.at("test") / "prompts.txt"),
        device=stage.device,
    ).summary["rows"]
    return {row["name"]: row for row in rows}


def _without_random(pairs: Pairs, dropped: int, seed: int) -> Pairs:
    keep = np.ones(len(pairs), bool)
    keep[random(seed, "random-drop").choice(len(pairs), dropped, replace=False)] = False
    return pairs.select(keep)


def _summary(measured: dict[str, dict[str, Any]], found: dict[str, Any]) -> dict[str, Any]:
    def value(name: str, measure: str) -> float | None:
        return measured[name][measure]["value"] if name in measured else None

    summary = {
        "clean_accuracy_before": value("poisoned", "zero-shot-top1"),
        "asr_before": value("poisoned", "asr"),
        "auroc": found["auroc"],
        "average_precision": found["average_precision"],
        "recall_at_drop": found["recall_at_drop"],
        "dropped_share": found["dropped_share"],
        "clean_accuracy_after": value("after-drop", "zero-shot-top1"),
        "asr_after": value("after-drop", "asr"),
        "clean_accuracy_never_poisoned": value("never-poisoned", "zero-shot-top1"),
        "asr_never_poisoned": value("never-poisoned", "asr"),
        "asr_random_drop": value("random-drop", "asr"),
        "planted": found["planted"],
        "pairs": found["pairs"],
        "measured": measured,
    }
    return {name: entry for name, entry in summary.items() if entry is not None}


def _answer(run: Run) -> Answer:
    summary = json.loads((run.path / "summary.json").read_text(encoding="utf-8"))
    found = round(summary["recall_at_drop"] * summary["planted"])
    dropped = round(summary["dropped_share"] * summary["pairs"])
    lines = [
        f"{found} of {summary['planted']} planted pairs found among the {dropped} dropped.",
        "",
        f"{'':<19}{'clean accuracy':<34} attack success",
        *(_line(name, rows) for name, rows in summary["measured"].items()),
        "",
        f"The story in pictures   {run.path / 'demo.html'}",
        f"The report of the scan  {run.path / 'scan' / 'report.html'}",
    ]
    return Answer(summary=summary, lines=lines, file=str(run.path / "demo.html"))


def _line(name: str, rows: dict[str, Any]) -> str:
    cells = [
        f"{told(row['value'], row['low'], row['high'])}, n = {row['n']:,}"
        for row in (rows["zero-shot-top1"], rows["asr"])
    ]
    return f"  {name.replace('-', ' '):<16} {cells[0]:<34} {cells[1]}"
