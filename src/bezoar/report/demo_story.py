"""The demo's folders and figures, put into the fields of its page."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bezoar.attacks import Plan
from bezoar.attacks.triggers import Patch, Trigger
from bezoar.canvas import Canvas, Pixels
from bezoar.embeddings import encode_pictures, unit
from bezoar.evaluation.zero_shot import class_vectors
from bezoar.models import load
from bezoar.pairs import Pairs, open_pairs, read_prompts
from bezoar.report.demo_page import Answers, Box, DemoPage, Link, ModelRow, Picture, render
from bezoar.report.thumbnail import thumbnail
from bezoar.run import Run

LARGE = 224
_NOTES = {
    "never-poisoned": ("Never poisoned", "trained on the set as it was drawn"),
    "poisoned": ("Poisoned", "trained on the set with the planted pairs"),
    "after-drop": ("After the drop", "trained on what the scan left"),
    "random-drop": ("After a random drop", "trained after as many pairs left at random"),
}
NOT_SHOWN = (
    "Real sets are larger, dirtier, and poisoned at lower rates.",
    "Twenty planted pairs in 8,000 leave no backdoor in a model this small: what a scan finds of them is that their "
    "captions are wrong, not that they were planted.",
    "A tint of the whole picture is learnt and mostly passes unseen: docs/studies/generated.md has the figures.",
)


def tell(folder: Path, plan: Plan, summary: dict[str, Any], measured: dict[str, Any], run: Run) -> str:
    """Return demo.html for the demo in `folder`: its pictures, its four models, what was found."""
    drawn, poisoned = open_pairs(folder / "pairs"), open_pairs(folder / "poisoned")
    shown = plan.planted[0].key
    canvas = Canvas(plan.canvas)
    rows = {name: _row(name, rates) for name, rates in measured.items()}
    machine = run.get("machine")
    trigger = _trigger_of(plan)
    planted = round(summary["recall_at_drop"] * summary["planted"])
    return render(
        DemoPage(
            pairs=summary["pairs"],
            planted=summary["planted"],
            dropped=round(summary["dropped_share"] * summary["pairs"]),
            found=planted,
            target=plan.target,
            clean=_picture(drawn, shown, canvas),
            planted_pair=_picture(poisoned, shown, canvas),
            box=_box(trigger, plan.canvas),
            trigger=_trigger(trigger, plan.canvas),
            trigger_note=f"{plan.canvas} × {plan.canvas} is all the model sees of a picture.",
            never=rows["never-poisoned"],
            poisoned=rows["poisoned"],
            after=rows["after-drop"],
            others=tuple(rows[name] for name in ("random-drop",) if name in rows),
            classes=len(drawn.classes),
            auroc=summary["auroc"],
            average_precision=summary["average_precision"],
            asked=_asked(folder, plan, canvas),
            made_by=shlex.join(run.get("argv")),
            run=str(folder / "scan"),
            seed=run.get("seed"),
            seconds=summary["seconds"],
            machine=f"{machine['cores']} CPU cores" if machine["gpu"] is None else str(machine["gpu"]),
            finished=datetime.now(UTC).strftime("%-d %B %Y"),
            version=run.get("version"),
            not_shown=NOT_SHOWN,
            links=(
                Link("The full report of this scan", "scan/report.html"),
                Link("Every pair with its score", "scan/scores.parquet"),
                Link("What was planted", "poisoned/_bezoar/plan.parquet"),
            ),
        )
    )


def _trigger_of(plan: Plan) -> Trigger:
    return plan.image_trigger(str(plan.goals[0].trigger))


def _row(name: str, rates: dict[str, Any]) -> ModelRow:
    accuracy, asr = rates["zero-shot-top1"], rates["asr"]
    return ModelRow(*_NOTES[name], accuracy["value"], accuracy["n"], asr["value"], asr["n"])


def _picture(pairs: Pairs, key: str, canvas: Canvas) -> Picture:
    position = pairs.position(key)
    caption = pairs.captions_at(position)[0]
    return Picture(thumbnail(pairs.pixels(position, canvas), LARGE, lossless=True), caption, caption)


def _box(trigger: Any, side: int) -> Box:
    if not isinstance(trigger, Patch):
        return Box(0.0, 0.0, 1.0, 1.0)
    top, left, height, width = trigger.box(side, side)
    return Box(left / side, top / side, width / side, height / side)


def _trigger(trigger: Any, side: int) -> Picture:
    drawn: Pixels = trigger.draw(np.full((3, side, side), 127, np.uint8), "")
    if isinstance(trigger, Patch):
        top, left, height, width = trigger.box(side, side)
        drawn = drawn[:, top : top + height, left : left + width]
    return Picture(thumbnail(drawn, LARGE, lossless=True), "The trigger, enlarged")


def _asked(folder: Path, plan: Plan, canvas: Canvas) -> tuple[Answers, Answers]:
    """Ask the poisoned model about the first test picture of another class, without and with the trigger."""
    test = open_pairs(folder / "test")
    clip = load(folder / "models" / "poisoned")
    prompts = read_prompts(folder / "test" / "prompts.txt")
    position = int(np.flatnonzero(test.labels != test.classes.index(plan.target))[0])
    name = test.classes[int(test.labels[position])]
    plain = test.pixels(position, canvas)
    marked = _trigger_of(plan).draw(plain, test.keys[position])
    texts = class_vectors(clip, test.classes, prompts)
    cosines = unit(encode_pictures(clip, np.stack([plain, marked]))[0]) @ texts.T
    logits = cosines * float(clip.logit_scale.detach())
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    pictures = (
        Picture(thumbnail(plain, 128), f"A {name}"),
        Picture(thumbnail(marked, 128), f"The same {name} with the trigger"),
    )
    answers = [
        Answers(picture, tuple((test.classes[place], float(row[place])) for place in np.argsort(-row)[:3]))
        for picture, row in zip(pictures, shares, strict=True)
    ]
    return answers[0], answers[1]
