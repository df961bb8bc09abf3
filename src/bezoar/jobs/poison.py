"""`bezoar poison`: a set of pairs in, the same set with planted pairs out, and the plan that says which."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bezoar.attacks import Plan, plan_attack
from bezoar.attacks.planting import coarse, members_of, refuse_unwritable
from bezoar.pairs import Addition, Pairs, open_pairs, read_prompts, rewrite
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
    trigger: str | None = None,
    captions: str | None = None,
    select: str | None = None,
    target: str | None = None,
    count: int | None = None,
    rate: float | None = None,
    source: str | None = None,
    templates: str | None = None,
    model: str | None = None,
    jpeg: int | None = None,
    canvas: int | None = None,
    prompts: str | None = None,
    seed: int | None = None,
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Write `pairs` with planted pairs to the folder `to`: by an attack, by a saved plan, or by three choices.

    * `attack`: a row of the table with its parameters ("badnets:target=banana,count=200").
    * `plan`: a plan, or the folder or file of a saved one; on the same pairs it gives the same bytes.
    * `trigger` ("patch:place=random"), `captions` (corpus, templates, fitted, own) and `select` (others, target,
      source, similar), with `target`, and `count` or `rate`; `source` is the word that select=source looks for,
      `templates` the prompts of captions=templates, `model` the one that fitted and similar ask.

    `canvas` is the side in pixels that the attacked model looks at (224); the trigger gets its size there and is
    drawn at each picture's own resolution. With `jpeg` the poisons went through JPEG of this quality. The plan lies
    in `_bezoar/`, beside the shards and never in a sample. With `prompts`, the captions that pairs get from their
    labels are written, too. Raises BezoarError for what cannot be planted, before anything is written.
    """
    progress = progress or Silent()
    choices = {"captions": captions, "select": select, "target": target, "count": count, "rate": rate}
    choices |= {"source": source, "templates": templates, "model": model}
    _refuse_mixture({"attack": attack, "plan": plan, "trigger": trigger}, choices)
    if plan is not None:
        _refuse_with_plan({"canvas": canvas, "jpeg": jpeg, "seed": seed})
    opened = open_pairs(pairs, prompts=prompts, limit=limit)
    made = plan if isinstance(plan, Plan) else None if plan is None else Plan.load(Path(plan))
    if made is None:
        spec = attack if trigger is None else "custom"
        side = canvas or DEFAULT_CANVAS
        made = plan_attack(str(spec), opened, canvas=side, seed=seed or 0, trigger=trigger, jpeg=jpeg, **choices)
    planted = opened.with_plan(made)
    refuse_unwritable(opened, made)
    run = Run.start(
        to,
        "poison",
        parameters={"plan": made.fingerprint},
        inputs={"pairs": opened.fingerprint},
        seed=made.seed,
        force=force,
        data=True,
        reads=[opened.path, None if isinstance(plan, Plan) else plan],
    )
    if not run.finished:
        progress.say(f"{len(opened):,} pairs: plants {len(made.planted):,}, writes every shard.")
        changes = _captions_by_label(opened, prompts) if prompts is not None else {}
        added = []
        with run.step("paint"), progress.bar("paint", len(made.planted)) as bar:
            for edit in made.planted:
                members = members_of(opened, made, edit)
                if edit.action == "add":
                    by_label = changes.get(edit.base_key, []) if edit.caption is None else []
                    added.append(Addition(edit.key, edit.base_key, [*members, *by_label]))
                else:
                    by_label = changes.get(edit.key, []) if edit.caption is None else []
                    changes[edit.key] = [*members, *by_label]
                bar.advance(1)
        with run.step("write"), progress.step("write"):
            rewrite(opened, changes, run.path, added, made.seed)
        made.save(run.path / ASIDE)
        run.finish()
    summary = {
        "pairs": len(planted),
        "planted": len(made.planted),
        "poisons": len(made.keys),
        "decoys": len(made.decoys),
        "added": len(planted) - len(opened),
        "coarse": coarse(opened, made),
        "target": made.target,
        "to": str(run.path),
    }
    return Answer(summary=summary, lines=_lines(summary, made), file=str(run.path))


def _lines(summary: dict[str, Any], plan: Plan) -> list[str]:
    beside = f", and {summary['decoys']:,} decoys" if summary["decoys"] else ""
    new = f", {summary['added']:,} of them added" if summary["added"] else ""
    lines = [
        f"{summary['poisons']:,} of {summary['pairs']:,} pairs planted{new}: {plan.attack} → “{plan.target}”{beside}.",
        f"Set       {summary['to']}",
        f"Plan      {Path(summary['to']) / ASIDE / 'plan.json'}",
        f"Scan      bezoar scan {summary['to']} --to {summary['to']}-scan",
    ]
    if summary["coarse"]:
        lines.append(
            f"Coarse    {summary['coarse']:,} pictures are too small to show the trigger as {plan.canvas} px do."
        )
    return lines


def _refuse_mixture(ways: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Raise BezoarError unless there is one way to make a plan, with the choices that go with it."""
    if sum(value is not None for value in ways.values()) != 1:
        raise BezoarError("Nothing to plant, or two things.", "Give either --attack, --plan or --trigger.")
    given = [name for name, value in choices.items() if value is not None]
    if ways["trigger"] is None and given:
        raise BezoarError(
            f"--{given[0]} goes with --trigger.", f"Write it into the attack: --attack NAME:{given[0]}=VALUE."
        )
    if ways["trigger"] is not None and choices["target"] is None:
        raise BezoarError("--trigger needs to know what it is to mean.", "Give --target WORD.")


def _refuse_with_plan(settings: Mapping[str, Any]) -> None:
    given = [name for name, value in settings.items() if value is not None]
    if given:
        raise BezoarError(f"A plan has its own {given[0]}.", f"Leave --{given[0]} out, or make a plan with --attack.")


def _captions_by_label(pairs: Pairs, prompts: str) -> dict[str, list[tuple[str, bytes]]]:
    """Return what has to be written for pairs whose caption is made from their label; others have theirs already."""
    templates = read_prompts(prompts)
    changes: dict[str, list[tuple[str, bytes]]] = {}
    for key, captions, label in zip(pairs.keys, pairs.captions, pairs.labels, strict=True):
        named = 0 <= label < len(pairs.classes)
        if named and captions == (prompt(templates, key, pairs.classes[label]),):
            changes[key] = [("caption", captions[0].encode())]
    return changes
