"""`bezoar evaluate`: what a model can do, how well an attack succeeds on it, and whether it carries a backdoor.

sets and plan, refused where they do not fit → pictures on the canvas → measures of the model, and of the one beside
it → metrics.json.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from bezoar.attacks import Plan
from bezoar.attacks.compression import checked_quality
from bezoar.canvas import Canvas
from bezoar.evaluation.bench import Setting, Shown
from bezoar.evaluation.carries import RULE, Suspicion, verdict
from bezoar.evaluation.exam import Exam, looks, sit
from bezoar.evaluation.material import Material, open_material
from bezoar.evaluation.measure import Beside, Measure, put_beside
from bezoar.evaluation.table import table_of
from bezoar.models import Towers, load, place, state_of
from bezoar.pairs import Pairs, read_prompts
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
    pairs: str | Path | Pairs | None = None,
    images: str | Path | Pairs | None = None,
    plan: str | Path | Plan | None = None,
    planted: str | Path | Pairs | None = None,
    trigger: str | Path | None = None,
    target: str | None = None,
    beside: str | Path | None = None,
    probe: str | Path | Pairs | None = None,
    jpeg: int | None = None,
    prompts: str | None = None,
    seed: int = 0,
    device: str = "auto",
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Measure `model` and write `metrics.json` into `to`: name, value, n, low, high, protocol, goal, unit, beside.

    `images`: pictures with labels and class names, as shards or class folders: zero-shot accuracy. `pairs`: pictures
    with captions: retrieval both ways; alone and labelled, they serve as images. At least one of the two.
    `plan`: the success of its goals, on images where they ask classes, else on pairs; `planted` is the set that it
    was made for, where it is about single pictures. `trigger` (a plan, or such as "patch:pattern=dots") and `target`:
    whether the model carries this backdoor, with controls. `beside`: the never-poisoned model, under the same
    protocol. `probe`: labelled pictures for a linear probe. `jpeg`: triggered pictures go through JPEG of this quality.
    `prompts`: "default", "openai" or a file of templates.
    Raises `BezoarError` for what cannot be measured, before anything is written.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    templates = read_prompts(prompts or "default")
    setting = Setting(templates, Path(prompts or "default").name, None if jpeg is None else checked_quality(jpeg), seed)
    _refuse_contradictions(plan, trigger, target, jpeg)
    known = plan if isinstance(plan, Plan) or plan is None else Plan.load(Path(plan))
    material = open_material(
        images=images, pairs=pairs, plan=known, planted=planted, probe=probe, templates=templates, limit=limit
    )
    clip, other = load(model, device), None if beside is None else load(beside, device)
    _refuse_other_canvas(clip, other)
    material.refuse_canvas(clip.canvas)
    suspicion = None
    if trigger is not None and target is not None:
        suspicion = _suspicion(material, trigger, target, clip.canvas.side, seed)
    run = Run.start(
        to,
        "evaluate",
        parameters={
            "model": str(model),
            "prompts": list(templates),
            "plan": known.fingerprint if known else None,
            "trigger": suspicion.fingerprint if suspicion else None,
            "target": target,
            "beside": None if beside is None else str(beside),
            "jpeg": jpeg,
        },
        inputs={
            **{name: pairs.fingerprint for name, pairs in material.sets.items()},
            "model": state_of(model),
            **({} if beside is None else {"beside": state_of(beside)}),
        },
        seed=seed,
        force=force,
        reads=[
            *(pairs.path for pairs in material.sets.values()),
            place(model),
            None if beside is None else place(beside),
            None if isinstance(plan, Plan) else plan,
            trigger if trigger is not None and Path(trigger).exists() else None,
        ],
    )
    if run.finished:
        return _answer(run)
    asked = [one for one in (clip, other) if one is not None]
    exam = _exam(run, progress, material, clip.canvas, setting, suspicion)
    rows, *rows_beside = (_measured(run, progress, one, exam, device) for one in asked)
    for others in rows_beside:
        rows = put_beside(rows, others)
    verdicts = [] if suspicion is None else [verdict(rows, goal.name, goal.target) for goal in suspicion.goals()]
    write_json(run.path / METRICS_FILE, {"rows": [asdict(row) for row in rows], "verdicts": verdicts})
    run.finish()
    return _answer(run)


def _exam(
    run: Run, progress: Progress, material: Material, canvas: Canvas, setting: Setting, suspicion: Suspicion | None
) -> Exam:
    """Decode all pictures; no picture is decoded twice."""
    shown = {}
    for name, pairs in material.sets.items():
        if name != "planted":
            decoded = Decoded(pairs, canvas)
            with run.step("read"), progress.bar(f"read {name}", len(pairs), unit="pictures") as bar:
                decoded.decode_all(bar.advance)
            shown[name] = Shown(decoded, decoded.usable())
    captioned, own = shown.get("pairs"), material.labelled is material.captioned
    labelled = captioned if own else shown.get("images")
    if material.labelled is not None and labelled is not None:
        labelled = _with_labels(labelled)
        captioned = labelled if own and captioned is not None and len(labelled) == len(captioned) else captioned
    used = {"images": labelled, "pairs": captioned, "probe": shown.get("probe")}
    left_out = {name: len(pairs) - len(used[name] or ()) for name, pairs in material.sets.items() if used.get(name)}
    run.note("left_out", {name: number for name, number in left_out.items() if number})
    return Exam(
        labelled=labelled if material.labelled is not None else None,
        captioned=captioned,
        setting=setting,
        retrieves=material.captioned is not None and not own,
        plan=material.plan,
        assigned=material.assigned,
        planted=material.planted,
        probe=_with_labels(shown["probe"]) if "probe" in shown else None,
        suspicion=suspicion,
    )


def _with_labels(shown: Shown) -> Shown:
    """Return the pictures that have a label with a name."""
    labels = shown.pairs.labels
    known = (labels >= 0) & (labels < len(shown.pairs.classes))
    if not known.any():
        path = shown.pairs.path
        raise BezoarError(f"No picture in {path} has a label and can be read.", "Name other pairs.", BROKEN_DATA)
    return shown if known.all() else Shown(shown.decoded, shown.positions[known])


def _measured(run: Run, progress: Progress, clip: Towers, exam: Exam, device: str) -> list[Measure]:
    total = looks(exam)
    seconds = 2 + total * (clip.canvas.side / 40) ** 2 / 2000
    progress.say(f"{total:,} looks at pictures of {clip.canvas.side} px: about {duration(seconds)} for a small model.")
    with run.step("measure"), progress.bar("measure", total, unit="looks") as bar:
        rows = sit(clip, exam, device, bar.advance)
        bar.note(f"{len(rows)} measures")
    return rows


def _suspicion(material: Material, trigger: str | Path, target: str, side: int, seed: int) -> Suspicion:
    if material.labelled is None:
        raise BezoarError("A trigger is checked on pictures with labels.", "Name them: --images.")
    return Suspicion.of(trigger, target, side, seed)


def _refuse_contradictions(plan: object, trigger: object, target: str | None, jpeg: int | None) -> None:
    if jpeg is not None and plan is None and trigger is None:
        raise BezoarError("--jpeg is for pictures with a trigger on them.", "Give --plan or --trigger, too.")
    if target is not None and not target.strip():
        raise BezoarError("A target without a word is none.", "Name a word or a class.")
    if (trigger is None) != (target is None):
        raise BezoarError("A trigger is checked for a target.", "Give --trigger and --target together.")
    if trigger is not None and plan is not None:
        raise BezoarError("--trigger does not go with --plan.", "Name the plan as --trigger, or leave --trigger out.")


def _refuse_other_canvas(clip: Towers, other: Towers | None) -> None:
    """Raise BezoarError where two models do not look at the same pixels: that is no same protocol."""
    if other is None:
        return
    seen = [(one.canvas.side, one.canvas.resize, one.canvas.interpolation) for one in (clip, other)]
    if seen[0] != seen[1]:
        raise BezoarError(
            f"The model beside looks at {seen[1][0]} px ({seen[1][1]}, {seen[1][2]}), and the model at {seen[0][0]} px "
            f"({seen[0][1]}, {seen[0][2]}).",
            "Name a model of the same canvas as --beside.",
        )


def _answer(run: Run) -> Answer:
    path = run.path / METRICS_FILE
    metrics = json.loads(path.read_text(encoding="utf-8"))
    rows = [Measure(**{**row, "beside": row["beside"] and Beside(**row["beside"])}) for row in metrics["rows"]]
    verdicts, left_out = metrics["verdicts"], run.get("left_out", {})
    why = "no label, no caption, or a broken picture"
    lost = [f"Left out  {number:,} of {name}: {why}" for name, number in left_out.items()]
    return Answer(
        summary={**metrics, "left_out": left_out, "metrics": str(path)},
        lines=[*verdicts, *([RULE, ""] if verdicts else []), *table_of(rows), *lost, f"Metrics   {path}"],
        file=str(path),
    )
