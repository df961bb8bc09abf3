"""`bezoar evaluate`: zero-shot accuracy of a model, and the success of a planned attack on it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from bezoar.attacks import Plan
from bezoar.canvas import Pixels
from bezoar.evaluation.zero_shot import Rate, accuracy, attack_success, class_vectors
from bezoar.models import load
from bezoar.pairs import Pairs, open_pairs, read_prompts
from bezoar.pairs.decoded import Decoded
from bezoar.run import Answer, BezoarError, Progress, Run, Silent, duration, pick_device, use_cores, write_json

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
    """Measure `model` on labelled test `pairs`: zero-shot accuracy and, with a `plan`, its attack success.

    Writes `metrics.json` into `to`: rows of name, value, n, low, high, protocol. Test pairs need labels and
    classes; `prompts` is a file of templates or "default".
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    test = open_pairs(pairs, prompts=prompts or "default", limit=limit)
    known = plan if isinstance(plan, Plan) or plan is None else Plan.load(Path(plan))
    templates = read_prompts(prompts or "default")
    target = _check(test, known)
    run = Run.start(
        to,
        "evaluate",
        parameters={"model": str(model), "prompts": templates, "plan": known.fingerprint if known else None},
        inputs={"pairs": test.fingerprint},
        seed=seed,
        force=force,
    )
    clip = load(model, device)
    progress.say(f"{len(test):,} pictures on {device}: about {duration(2 + len(test) / 1500)}.")
    decoded = Decoded(test, clip.canvas)
    with run.step("read"), progress.bar("read", len(test), unit="pictures") as bar:
        decoded.decode_all(bar.advance)
    usable = decoded.usable()
    usable = usable[test.labels[usable] >= 0]
    pixels, labels = decoded.batch(usable), test.labels[usable]
    with run.step("measure"), progress.step("measure"):
        texts = class_vectors(clip, test.classes, templates, device)
        rows = accuracy(clip, pixels, labels, texts, device=device)
        if known is not None and target is not None:
            trigger = known.triggers[known.goal.trigger]

            def draw(row: int, picture: Pixels) -> Pixels:
                return trigger.draw(picture, test.keys[int(usable[row])])

            if not trigger.fits(clip.canvas.side):
                raise BezoarError(
                    f"The plan was drawn on {known.canvas} px and its trigger is too small on {clip.canvas.side} px.",
                    "Evaluate a model with a larger canvas.",
                )
            rows += attack_success(clip, pixels, labels, texts, target, draw, device=device)
    write_json(run.path / METRICS_FILE, {"rows": [asdict(row) for row in rows]})
    run.finish()
    return Answer(
        summary={"rows": [asdict(row) for row in rows], "metrics": str(run.path / METRICS_FILE)},
        lines=[*(_line(row) for row in rows), f"Metrics   {run.path / METRICS_FILE}"],
        file=str(run.path / METRICS_FILE),
    )


def _check(test: Pairs, plan: Plan | None) -> int | None:
    if not test.classes or (test.labels < 0).all():
        raise BezoarError(
            f"{test.path} has no labels or no classes.json.", "Name test pairs with .cls labels and classes.json."
        )
    if plan is None:
        return None
    if plan.goal.target not in test.classes:
        raise BezoarError(
            f"The plan's target {plan.goal.target!r} is no class of {test.path}.",
            f"Name test pairs that have it; these have {', '.join(test.classes[:10])}.",
        )
    return test.classes.index(plan.goal.target)


def _line(row: Rate) -> str:
    return f"  {row.name:<18} {row.value:6.1%} [{row.low:.1%}, {row.high:.1%}]   n = {row.n:,}".replace("%", " %")
