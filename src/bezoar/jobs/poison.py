"""`bezoar poison`: a set of pairs in, the same set with planted pairs out, and the plan that says which."""

from __future__ import annotations

from pathlib import Path

from bezoar.attacks import Plan, plan_attack
from bezoar.attacks.painting import paint
from bezoar.canvas import Canvas
from bezoar.pairs import Pairs, open_pairs, read_prompts, rewrite
from bezoar.pairs.prompts import prompt
from bezoar.run import Answer, BezoarError, Progress, Run, Silent

ASIDE = "_bezoar"
DEFAULT_CANVAS = 224


def poison(
    pairs: str | Path | Pairs,
    *,
    to: str | Path,
    attack: str | None = None,
    plan: str | Path | Plan | None = None,
    canvas: int | None = None,
    prompts: str | None = None,
    seed: int = 0,
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Write `pairs` with planted pairs to the folder `to`: by `attack` ("badnets:target=banana,count=200") or `plan`.

    `canvas` is the side in pixels that the attacked model looks at; the trigger gets its size there and is drawn
    at each picture's own resolution. The plan lies in `_bezoar/`, beside the shards and never in a sample. With
    `prompts`, the captions that pairs get from their labels are written, too.
    """
    progress = progress or Silent()
    if (attack is None) == (plan is None):
        raise BezoarError("Nothing to plant, or two things.", "Give either --attack or --plan.")
    opened = open_pairs(pairs, prompts=prompts, limit=limit)
    if plan is not None:
        made = plan if isinstance(plan, Plan) else Plan.load(Path(plan))
    else:
        made = plan_attack(str(attack), opened, canvas=canvas or DEFAULT_CANVAS, seed=seed)
    planted = opened.with_plan(made)
    run = Run.start(
        to,
        "poison",
        parameters={"plan": made.fingerprint},
        inputs={"pairs": opened.fingerprint},
        seed=seed,
        force=force,
        data=True,
        reads=[opened.path, None if isinstance(plan, Plan) else plan],
    )
    if not run.finished:
        progress.say(f"{len(opened):,} pairs: plants {len(made.planted):,}, writes every shard.")
        square = Canvas(made.canvas)
        changes = _captions_by_label(opened, prompts) if prompts is not None else {}
        with run.step("paint"), progress.bar("paint", len(made.planted)) as bar:
            for edit in made.planted:
                pair = planted.read(planted.position(edit.key))
                trigger = made.triggers[edit.trigger] if edit.trigger else None
                image = paint(pair.image, trigger, square, edit.key) if trigger else pair.image
                changes[edit.key] = [(pair.extension, image), ("caption", "\n".join(pair.captions).encode())]
                bar.advance(1)
        with run.step("write"), progress.step("write"):
            rewrite(opened, changes, run.path)
        made.save(run.path / ASIDE)
        run.finish()
    summary = {
        "pairs": len(opened),
        "planted": len(made.planted),
        "target": made.goal.target,
        "to": str(run.path),
    }
    return Answer(
        summary=summary,
        lines=[
            f"{len(made.planted):,} of {len(opened):,} pairs planted: {made.attack} → “{made.goal.target}”.",
            f"Set       {run.path}",
            f"Plan      {run.path / ASIDE / 'plan.json'}",
            f"Scan      bezoar scan {run.path} --to {run.path}-scan",
        ],
        file=str(run.path),
    )


def _captions_by_label(pairs: Pairs, prompts: str) -> dict[str, list[tuple[str, bytes]]]:
    """Return what has to be written for pairs whose caption is made from their label; others have theirs already."""
    templates = read_prompts(prompts)
    changes: dict[str, list[tuple[str, bytes]]] = {}
    for key, captions, label in zip(pairs.keys, pairs.captions, pairs.labels, strict=True):
        named = 0 <= label < len(pairs.classes)
        if named and captions == (prompt(templates, key, pairs.classes[label]),):
            changes[key] = [("caption", captions[0].encode())]
    return changes
