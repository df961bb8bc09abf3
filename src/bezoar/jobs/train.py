"""`bezoar train`: pairs in, a CLIP that open_clip loads out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bezoar.attacks import Plan
from bezoar.models import Towers, load, place, save, state_of
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.decoded import Decoded
from bezoar.run import Answer, BezoarError, Progress, Run, Silent, duration, nearest, pick_device, use_cores
from bezoar.training.augmentation import AUGMENTATIONS
from bezoar.training.recipes import RECIPES
from bezoar.training.settings import Settings
from bezoar.training.start import SMALL_ARCH, new_towers, pairs_per_second
from bezoar.training.trainer import fit, steps_of


def train(
    pairs: str | Path | Pairs,
    *,
    to: str | Path,
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
    start: str | Path | None = None,
    devices: int = 1,
    seed: int = 0,
    device: str = "auto",
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Train a CLIP on `pairs` with the plain contrastive loss and save it in the folder `to`.

    `plan` is applied lazily: its triggers are drawn on the canvas and its captions replaced, nothing is written.
    `start` is a model to go on from; otherwise one of architecture `arch` starts untrained, with a canvas of
    `canvas` pixels. `learn` is "image" or "text" to train one tower of `start` and leave the other as it is, "both"
    otherwise. `minutes` chooses the number of epochs from a measured speed. Interrupted, the same call
    goes on. Raises `BezoarError` for a request that cannot be met.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    opened = open_pairs(pairs, prompts=prompts, limit=limit)
    if plan is not None:
        opened = opened.with_plan(plan if isinstance(plan, Plan) else Plan.load(Path(plan)))
    settings = _settings(
        seed=seed,
        devices=devices,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        precision=precision,
        clip_gradients=clip_gradients,
        augmentation=augmentation,
        learn=learn,
    )
    _refuse_untrained(settings, start)
    towers = _load_start(start, arch, canvas) if start is not None else _new(opened, arch, canvas, seed)
    if minutes is not None:
        settings = replace(settings, epochs=_epochs_in(minutes, len(opened), towers, settings, device))
    # Refuses fewer pairs than a batch before anything is written.
    steps_of(sum(reason is None for reason in opened.reasons), settings)
    run = Run.start(
        to,
        "train",
        parameters={"settings": settings, "model": towers.config, "start": start},
        inputs={"pairs": opened.fingerprint} | ({"start": state_of(start)} if start else {}),
        seed=seed,
        force=force,
        reads=[opened.path, place(start) if start else None, None if isinstance(plan, Plan) else plan],
    )
    if not run.finished:
        _announce(progress, opened, towers, settings, device)
        decoded = Decoded(opened, towers.canvas)
        with run.step("read"), progress.bar("read", len(opened)) as bar:
            decoded.decode_all(bar.advance)
        with run.step("train"):
            fit(towers, decoded, settings, run.path, device=device, progress=progress)
        save(towers, run.path)
        run.note("unreadable", len(opened) - len(decoded.usable()))
        run.finish()
    return _answer(run, len(opened))


def _settings(**chosen: Any) -> Settings:
    settings = replace(RECIPES[0].settings, **{name: value for name, value in chosen.items() if value is not None})
    if settings.augmentation not in AUGMENTATIONS:
        raise BezoarError(f"No augmentation {settings.augmentation}.", nearest(settings.augmentation, [*AUGMENTATIONS]))
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


def _epochs_in(minutes: float, pairs: int, towers: Towers, settings: Settings, device: str) -> int:
    speed = pairs_per_second(settings, device) / max(0.7, (towers.canvas.side / 40) ** 2)
    return max(1, int(minutes * 60 * speed / max(1, pairs)))


def _announce(progress: Progress, pairs: Pairs, towers: Towers, settings: Settings, device: str) -> None:
    speed = pairs_per_second(settings, device) / max(0.7, (towers.canvas.side / 40) ** 2)
    seconds = len(pairs) * settings.epochs / speed
    progress.say(
        f"{len(pairs):,} pairs, {settings.epochs} epochs at {towers.canvas.side} px on {device}: "
        f"about {duration(seconds)}."
    )


def _answer(run: Run, pairs: int) -> Answer:
    unreadable = run.get("unreadable", 0)
    left_out = f", {unreadable:,} of them unreadable" if unreadable else ""
    return Answer(
        summary={
            "model": str(run.path),
            "pairs": pairs,
            "unreadable": unreadable,
            "seconds": run.get("seconds"),
        },
        lines=[
            f"Trained on {pairs:,} pairs{left_out}.",
            f"Model     {run.path}   (open_clip: local-dir:{run.path})",
            f"Measure   bezoar evaluate {run.path} --pairs TEST --to {run.path}-eval",
        ],
        file=str(run.path),
    )
