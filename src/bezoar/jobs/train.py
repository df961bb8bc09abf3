"""`bezoar train`: pairs in, a CLIP that open_clip loads out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bezoar.attacks import Plan
from bezoar.detection.stored import stored_scores
from bezoar.models import Towers, load, place, save, state_of
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.decoded import Decoded
from bezoar.run import (
    Answer,
    BezoarError,
    Progress,
    Run,
    Silent,
    duration,
    fingerprint,
    nearest,
    pick_device,
    use_cores,
)
from bezoar.training.looks import caption_views
from bezoar.training.places import Course
from bezoar.training.recipes import RECIPES, Recipe
from bezoar.training.settings import Settings
from bezoar.training.start import SMALL_ARCH, new_towers, pairs_per_second
from bezoar.training.trainer import fit
from bezoar.views import PICTURE_VIEWS, open_synonyms


def train(
    pairs: str | Path | Pairs,
    *,
    to: str | Path,
    recipe: str | Recipe = "clip",
    scan: str | Path | None = None,
    scale: str = "data",
    arch: str | None = None,
    canvas: int | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    plan: str | Path | Plan | None = None,
    prompts: str | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    precision: str | None = None,
    clip_gradients: float | None = None,
    augmentation: str | None = None,
    learn: str | None = None,
    views: str | None = None,
    accumulate: int | None = None,
    mask_equal: bool | None = None,
    start: str | Path | None = None,
    devices: int = 1,
    seed: int = 0,
    device: str = "auto",
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Train a CLIP on `pairs` with `recipe` and save it in the folder `to`.

    `recipe` is a name of the table (`bezoar recipes`), or a recipe of one's own. `scan`: a scan of these pairs, for a
    recipe that drops what is suspicious. `scale` is "data" for constants that suit some ten thousand pairs, "paper"
    for those of the recipe's paper, at millions; all of them can be set one by one.
    `plan` is applied lazily: its triggers are drawn on the canvas and its captions replaced, nothing is written.
    `start` is a model to go on from; otherwise one of architecture `arch` starts untrained, with a canvas of
    `canvas` pixels. `learn` is "image" or "text" to train one tower of `start` and leave the other as it is, "both"
    otherwise. `minutes` chooses the number of epochs from a measured speed. `views`: "frozen" draws the random looks
    at a pair once, not anew each epoch. `accumulate`: batches go through the towers in so many parts. `mask_equal`:
    pairs of equal captions are no negatives. Interrupted, the same call
    goes on. Raises `BezoarError` for a request that cannot be met.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    opened = open_pairs(pairs, prompts=prompts, limit=limit)
    if plan is not None:
        opened = opened.with_plan(plan if isinstance(plan, Plan) else Plan.load(Path(plan)))
    chosen = _recipe(recipe, scan).at(scale)
    chosen = chosen if scan is None else chosen.with_scan()
    settings = _settings(
        chosen,
        seed=seed,
        devices=devices,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        precision=precision,
        clip_gradients=clip_gradients,
        augmentation=augmentation,
        learn=learn,
        views=views,
        accumulate=accumulate,
        mask_equal=mask_equal,
    )
    _refuse_untrained(settings, start)
    towers = _load_start(start, arch, canvas) if start is not None else _new(opened, arch, canvas, seed)
    if minutes is not None:
        settings = replace(settings, epochs=_epochs_in(minutes, len(opened), towers, settings, device, chosen))
    scores = None if scan is None else stored_scores(scan, opened)
    # Refuses fewer pairs than a batch before anything is written.
    Course(chosen, settings, sum(reason is None for reason in opened.reasons))
    run = Run.start(
        to,
        "train",
        parameters={"recipe": chosen, "settings": settings, "model": towers.config, "start": start},
        inputs={"pairs": opened.fingerprint}
        | ({"start": state_of(start)} if start else {})
        | ({"scan": fingerprint(scores.tobytes().hex())} if scores is not None else {}),
        seed=seed,
        force=force,
        reads=[opened.path, scan, place(start) if start else None, None if isinstance(plan, Plan) else plan],
    )
    if not run.finished:
        _announce(progress, opened, towers, settings, device, chosen)
        decoded = Decoded(opened, towers.canvas)
        with run.step("read"), progress.bar("read", len(opened)) as bar:
            decoded.decode_all(bar.advance)
        with run.step("train"):
            state = fit(
                towers, decoded, settings, run.path, recipe=chosen, scores=scores, device=device, progress=progress
            )
        save(towers, run.path)
        run.note("unreadable", len(opened) - len(decoded.usable()))
        run.note("split", state.sides(decoded.usable()))
        run.finish()
    return _answer(run, len(opened))


def _recipe(recipe: str | Recipe, scan: str | Path | None) -> Recipe:
    chosen = recipe if isinstance(recipe, Recipe) else RECIPES.get(recipe)
    if chosen is None:
        raise BezoarError(f"There is no recipe {recipe}.", nearest(str(recipe), [*RECIPES]))
    if chosen.repairs:
        raise BezoarError(f"{chosen.name} repairs a model that was trained.", "Use bezoar repair MODEL --recipe NAME.")
    if scan is not None and not any(phase.split is not None for phase in chosen.phases):
        raise BezoarError(f"--scan has no effect on {chosen.name}.", "Leave it out, or use filter-then-train.")
    return chosen


def _settings(recipe: Recipe, **chosen: Any) -> Settings:
    settings = replace(recipe.settings, **{name: value for name, value in chosen.items() if value is not None})
    if settings.augmentation not in PICTURE_VIEWS:
        raise BezoarError(f"No augmentation {settings.augmentation}.", nearest(settings.augmentation, [*PICTURE_VIEWS]))
    return settings


def _refuse_untrained(settings: Settings, start: str | Path | None) -> None:
    if settings.learn != "both" and start is None:
        raise BezoarError(
            f"Learning the {settings.learn} tower alone would freeze another that nobody has trained.",
            "Name a trained model with --from, or learn both.",
        )


def _new(pairs: Pairs, arch: str | None, canvas: int | None, seed: int) -> Towers:
    return new_towers(pairs.captions, arch or SMALL_ARCH, side=canvas, seed=seed)


def _load_start(start: str | Path, arch: str | None, canvas: int | None) -> Towers:
    towers = load(start)
    if arch is not None or canvas not in (None, towers.canvas.side):
        raise BezoarError(
            f"The model to start from looks at {towers.canvas.side} px and keeps its architecture.",
            "Leave out --arch and --canvas, or --from.",
        )
    return towers


def _epochs_in(minutes: float, pairs: int, towers: Towers, settings: Settings, device: str, recipe: Recipe) -> int:
    return max(1, int(minutes * 60 * _speed(towers, settings, device, recipe) / max(1, pairs)))


def _speed(towers: Towers, settings: Settings, device: str, recipe: Recipe) -> float:
    return pairs_per_second(settings, device) / max(0.7, (towers.canvas.side / 40) ** 2) / recipe.cost


def _announce(
    progress: Progress, pairs: Pairs, towers: Towers, settings: Settings, device: str, recipe: Recipe
) -> None:
    if caption_views(recipe):
        progress.say(f"Synonyms for changed captions: {open_synonyms(None).found}.")
    speed = _speed(towers, settings, device, recipe)
    seconds = len(pairs) * settings.epochs / speed
    progress.say(
        f"{len(pairs):,} pairs, {settings.epochs} epochs of {recipe.name} at {towers.canvas.side} px on {device}: "
        f"about {duration(seconds)}."
    )


def _answer(run: Run, pairs: int) -> Answer:
    unreadable = run.get("unreadable", 0)
    left_out = f", {unreadable:,} of them unreadable" if unreadable else ""
    sides = run.get("split")
    split = (
        [] if sides is None else [f"Distrust  {sides['worst'] + sides['doubtful']:,} pairs, {sides['kept']:,} trusted"]
    )
    return Answer(
        summary={
            "model": str(run.path),
            "pairs": pairs,
            "unreadable": unreadable,
            "seconds": run.get("seconds"),
        },
        lines=[
            f"Trained on {pairs:,} pairs{left_out}.",
            *split,
            f"Model     {run.path}   (open_clip: local-dir:{run.path})",
            f"Measure   bezoar evaluate {run.path} --pairs TEST --to {run.path}-eval",
        ],
        file=str(run.path),
    )
