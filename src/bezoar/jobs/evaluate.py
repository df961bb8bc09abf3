"""`bezoar evaluate`: what a model can do, and how well a planned attack succeeds on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks import Plan
from bezoar.attacks.naming import names
from bezoar.canvas import Pixels
from bezoar.evaluation.rate import Rate, told
from bezoar.evaluation.retrieval import retrieval, retrieval_attack_success
from bezoar.evaluation.zero_shot import accuracy, attack_success, class_vectors
from bezoar.models import Clip, load, place, state_of
from bezoar.pairs import Pairs, open_pairs, read_prompts
from bezoar.pairs.decoded import Decoded
from bezoar.run import (
    BROKEN_DATA,
    Answer,
    BezoarError,
    Progress,
    Run,
    Silent,
    duration,
    pick_device,
    use_cores,
    write_json,
)

METRICS_FILE = "metrics.json"


def evaluate(
    model: str | Path,
    *,
    to: str | Path,
    pairs: str | Path | Pairs,
    plan: str | Path | Plan | None = None,
    prompts: str | None = None,
    seed: int = 0,
    device: str = "auto",
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Measure `model` on test `pairs` and write `metrics.json` into `to`: name, value, n, low, high, protocol.

    Pairs with labels and classes.json: zero-shot accuracy, with `prompts` ("default" or a file of templates).
    Pairs with captions only: retrieval both ways. With a `plan`, the success of its attack on the same pairs.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    templates = read_prompts(prompts or "default")
    test = open_pairs(pairs, prompts=templates, limit=limit)
    known = plan if isinstance(plan, Plan) or plan is None else Plan.load(Path(plan))
    labelled = bool(test.classes) and bool((test.labels >= 0).any())
    if known is not None and labelled and known.goal.target not in test.classes:
        raise BezoarError(
            f"The plan's target {known.goal.target!r} is no class of {test.path}.",
            f"Name test pairs that have it; these have {', '.join(test.classes[:10])}.",
        )
    clip = load(model, device)
    if known is not None:
        known.refuse_small(clip.canvas.side)
    run = Run.start(
        to,
        "evaluate",
        parameters={
            "model": str(model),
            "prompts": list(templates),
            "plan": known.fingerprint if known else None,
        },
        inputs={"pairs": test.fingerprint, "model": state_of(model)},
        seed=seed,
        force=force,
        reads=[test.path, place(model), None if isinstance(plan, Plan) else plan],
    )
    progress.say(f"{len(test):,} pictures at {clip.canvas.side} px on {device}: {_estimate(test, clip)}.")
    decoded = Decoded(test, clip.canvas)
    with run.step("read"), progress.bar("read", len(test), unit="pictures") as bar:
        decoded.decode_all(bar.advance)
    usable = decoded.usable()
    with run.step("measure"), progress.step("measure"):
        measure = _by_class if labelled else _by_caption
        rows = measure(clip, test, usable, decoded.batch(usable), known, templates, device)
    metrics = run.path / METRICS_FILE
    write_json(metrics, {"rows": [asdict(row) for row in rows]})
    run.finish()
    return Answer(
        summary={"rows": [asdict(row) for row in rows], "metrics": str(metrics)},
        lines=[*(_line(row) for row in rows), f"Metrics   {metrics}"],
        file=str(metrics),
    )


def _by_class(
    clip: Clip,
    test: Pairs,
    usable: NDArray[np.int64],
    pixels: Pixels,
    plan: Plan | None,
    prompts: tuple[str, ...],
    device: str,
) -> list[Rate]:
    known = (test.labels[usable] >= 0) & (test.labels[usable] < len(test.classes))
    if not known.any():
        raise BezoarError(f"No picture in {test.path} has a label and can be read.", "Name other pairs.", BROKEN_DATA)
    labels, pixels = test.labels[usable][known], pixels[known]
    texts = class_vectors(clip, test.classes, prompts, device)
    rows = accuracy(clip, pixels, labels, texts, device=device)
    if plan is not None:
        target = test.classes.index(plan.goal.target)
        draw = _drawing(plan, test, usable[known])
        rows += attack_success(clip, pixels, labels, texts, target, draw, device=device)
    return rows


def _by_caption(
    clip: Clip,
    test: Pairs,
    usable: NDArray[np.int64],
    pixels: Pixels,
    plan: Plan | None,
    prompts: tuple[str, ...],
    device: str,
) -> list[Rate]:
    del prompts
    captions = [test.captions[position] for position in usable]
    rows = retrieval(clip, pixels, captions, device=device)
    if plan is not None:
        draw = _drawing(plan, test, usable)
        finds = names(plan.goal.target).search
        rows += retrieval_attack_success(clip, pixels, captions, finds, draw, device=device)
    return rows


def _drawing(plan: Plan, test: Pairs, positions: NDArray[np.int64]) -> Callable[[int, Pixels], Pixels]:
    trigger = plan.triggers[plan.goal.trigger]
    return lambda row, picture: trigger.draw(picture, test.keys[int(positions[row])])


def _estimate(test: Pairs, clip: Clip) -> str:
    return f"about {duration(2 + len(test) * (clip.canvas.side / 40) ** 2 / 2000)} for a small model"


def _line(row: Rate) -> str:
    return f"  {row.name:<20} {told(row.value, row.low, row.high):<22}   n = {row.n:,}"
