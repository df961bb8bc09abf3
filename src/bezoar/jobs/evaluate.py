"""`bezoar evaluate`: what a model can do, how well an attack succeeds on it, and whether it carries a backdoor.

sets and plan, refused where they do not fit → pictures on the canvas → measures of the model, and of the one beside
it → metrics.json.
"""

from __future__ import annotations

from pathlib import Path

from bezoar.attacks import Plan
from bezoar.attacks.compression import checked_quality
from bezoar.evaluation.bench import Setting
from bezoar.evaluation.carries import Suspicion, verdict
from bezoar.evaluation.exam import Exam, looks, sit
from bezoar.evaluation.material import Material, open_material
from bezoar.evaluation.measure import Measure, put_beside
from bezoar.evaluation.metrics import metrics_answer, write_metrics
from bezoar.evaluation.showing import refuse_other_canvas, shown_exam
from bezoar.models import Towers, load, place, state_of
from bezoar.models.head import Head, head_state, load_head
from bezoar.pairs import Pairs, read_prompts
from bezoar.run import Answer, BezoarError, Progress, Run, Silent, duration, pick_device, use_cores


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
    protocol. `probe`: labelled pictures for a linear probe. A head that lies beside the model is asked, too.
    `jpeg`: triggered pictures go through JPEG of this quality. `prompts`: "default", "openai" or a file of templates.
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
    heads = [load_head(one) for one in (model, beside) if one is not None]
    refuse_other_canvas(clip, other)
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
            **head_state(model),
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
        return metrics_answer(run)
    asked = [one for one in (clip, other) if one is not None]
    exam = shown_exam(run, progress, material, clip.canvas, setting, suspicion)
    rows, *rows_beside = (
        _measured(run, progress, one, exam, device, head) for one, head in zip(asked, heads, strict=True)
    )
    for others in rows_beside:
        rows = put_beside(rows, others)
    verdicts = [] if suspicion is None else [verdict(rows, goal.name, goal.target) for goal in suspicion.goals()]
    write_metrics(run, rows, verdicts)
    run.finish()
    return metrics_answer(run)


def _measured(run: Run, progress: Progress, clip: Towers, exam: Exam, device: str, head: Head | None) -> list[Measure]:
    total = looks(exam)
    seconds = 2 + total * (clip.canvas.side / 40) ** 2 / 2000
    progress.say(f"{total:,} looks at pictures of {clip.canvas.side} px: about {duration(seconds)} for a small model.")
    with run.step("measure"), progress.bar("measure", total, unit="looks") as bar:
        rows = sit(clip, exam, device, bar.advance, head)
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
