"""`bezoar evaluate --after-adaptation`: does the backdoor come back when a repaired model goes on training?

test sets and benign pairs → the model as it is → it goes on training in several ways, measured at ten points each →
the same of the never-poisoned model → metrics.json with the worst of each, adaptation.json with the curves.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bezoar.attacks import Plan
from bezoar.attacks.compression import checked_quality
from bezoar.attacks.replanting import can_be_replanted, replanted
from bezoar.evaluation.adaptation import Course, Walked, adaptation_rows, asked_on_the_way, courses
from bezoar.evaluation.bench import Setting
from bezoar.evaluation.exam import Exam, sit
from bezoar.evaluation.material import open_material
from bezoar.evaluation.measure import Measure, put_beside
from bezoar.evaluation.metrics import metrics_answer, read_rows, write_metrics
from bezoar.evaluation.showing import refuse_other_canvas, shown_exam
from bezoar.models import Towers, load, place, state_of
from bezoar.pairs import Pairs, open_pairs, read_prompts
from bezoar.pairs.decoded import Decoded
from bezoar.run import Answer, BezoarError, Progress, Run, Silent, pick_device, random, use_cores, write_json
from bezoar.training.recipes import RECIPES
from bezoar.training.settings import Settings
from bezoar.training.trainer import fit

CURVES_FILE = "adaptation.json"
POISONS = (5, 20, 100)


def evaluate_after_adaptation(
    model: str | Path,
    *,
    to: str | Path,
    benign: str | Path | Pairs,
    plan: str | Path | Plan,
    images: str | Path | Pairs | None = None,
    pairs: str | Path | Pairs | None = None,
    planted: str | Path | Pairs | None = None,
    beside: str | Path | None = None,
    steps: int | None = None,
    learning_rate: float | None = None,
    poisons: Sequence[int] = POISONS,
    jpeg: int | None = None,
    prompts: str | None = None,
    seed: int = 0,
    device: str = "auto",
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Go on training `model` on `benign` pairs with plain CLIP, and write the worst success of `plan` on the way.

    Two ways without poison, at `learning_rate` and at a tenth of it, give `asr-after-adaptation`; one for each number
    of `poisons`, of the plan's kind among the benign pairs, `asr-after-N-poisons`. Each takes about `steps` steps.
    Both numbers are read from the run where `model` is one of `bezoar repair`. `beside` is a never-poisoned model,
    treated alike. `images`, `pairs`, `planted`, `jpeg` and `prompts` as in `evaluate`.
    Raises `BezoarError` for what cannot be measured, before anything is written.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    templates = read_prompts(prompts or "default")
    setting = Setting(templates, Path(prompts or "default").name, None if jpeg is None else checked_quality(jpeg), seed)
    known = plan if isinstance(plan, Plan) else Plan.load(Path(plan))
    length = _length(model, steps, learning_rate)
    material = open_material(images=images, pairs=pairs, plan=known, planted=planted, templates=templates, limit=limit)
    clip, other = load(model), None if beside is None else load(beside)
    refuse_other_canvas(clip, other)
    material.refuse_canvas(clip.canvas)
    opened = open_pairs(benign, templates, limit)
    _refuse_test_pairs(opened, material.sets)
    lesson, settings = _lesson(opened, length, seed)
    numbers = tuple(poisons) if can_be_replanted(known) else ()
    asked = courses(length.rate, numbers)
    lessons = {
        one.name: lesson.with_plan(replanted(known, lesson, one.poisons, seed)) if one.poisons else lesson
        for one in asked
    }
    run = Run.start(
        to,
        "evaluate",
        parameters={
            "model": str(model),
            "prompts": list(templates),
            "plan": known.fingerprint,
            "beside": None if beside is None else str(beside),
            "jpeg": jpeg,
            "adaptation": {"settings": settings, "steps": length.steps, "poisons": list(numbers)},
        },
        inputs={
            **{name: one.fingerprint for name, one in material.sets.items()},
            "benign": opened.fingerprint,
            "model": state_of(model),
            **({} if beside is None else {"beside": state_of(beside)}),
        },
        seed=seed,
        force=force,
        reads=[
            *(one.path for one in (*material.sets.values(), opened)),
            place(model),
            None if beside is None else place(beside),
            None if isinstance(plan, Plan) else plan,
        ],
    )
    if run.finished:
        return metrics_answer(run)
    if len(numbers) < len(poisons):
        run.note("notes", ["With poisons among the pairs: not tested, the plan draws no trigger on pictures."])
    models = 1 if beside is None else 2
    progress.say(
        f"{len(asked)} ways of about {length.steps:,} steps on {len(lesson):,} benign pairs"
        f"{', for each of two models' if models == 2 else ''}."
    )
    exam = replace(shown_exam(run, progress, material, clip.canvas, setting, spread=False), retrieves=False)
    rows, *rows_beside = (
        _Adaptation(run, who, source, exam, settings, device, progress).rows(asked, lessons)
        for who, source in (("model", model), ("beside", beside))
        if source is not None
    )
    for others in rows_beside:
        rows = put_beside(rows, others)
    write_metrics(run, rows)
    run.finish()
    return metrics_answer(run)


@dataclass(frozen=True)
class _Adaptation:
    """All courses of one model; what was measured is kept at every point, so that a second start goes on."""

    run: Run
    who: str
    source: str | Path
    exam: Exam
    settings: Settings
    device: str
    progress: Progress

    def rows(self, asked: Sequence[Course], lessons: dict[str, Pairs]) -> list[Measure]:
        """Return what the model is before, and the worst of what it becomes."""
        with self.run.step("measure"), self.progress.step(f"{self.who} as it is"):
            start = sit(load(self.source, self.device), self.exam, self.device)
        return [*start, *adaptation_rows(start, [self._walked(one, lessons[one.name]) for one in asked])]

    def _walked(self, course: Course, pairs: Pairs) -> Walked:
        curves = _read_curves(self.run)
        curve = curves.setdefault(self.who, {}).setdefault(course.name, {"steps": None, "points": {}})
        if curve["steps"] is None:
            towers, folder = load(self.source), self.run.path / "courses" / self.who / course.name
            decoded = Decoded(pairs, towers.canvas)
            decoded.decode_all()

            def watch(clip: Towers, share: float) -> bool:
                rows = asked_on_the_way(sit(clip, self.exam, self.device))
                curve["points"][f"{share:.3f}"] = [asdict(row) for row in rows]
                write_json(self.run.path / CURVES_FILE, curves)
                return True

            with self.run.step("train"):
                state = fit(
                    towers,
                    decoded,
                    replace(self.settings, learning_rate=course.rate),
                    folder,
                    watch=watch,
                    device=self.device,
                    progress=self.progress,
                    name=course.name,
                )
            curve["steps"] = state.steps_done
            write_json(self.run.path / CURVES_FILE, curves)
        points = {float(share): read_rows(rows) for share, rows in curve["points"].items()}
        return Walked(course, curve["steps"], len(pairs), points)


@dataclass(frozen=True)
class _Length:
    """How long and how fast a model goes on training."""

    steps: int
    rate: float
    batch: int


def _length(model: str | Path, steps: int | None, learning_rate: float | None) -> _Length:
    """Return what was asked for, else what the repair in the folder of the model took."""
    batch = RECIPES["clip"].settings.batch
    with suppress(BezoarError):  # not a repair of ours
        repair = Run.load(model, "repair")
        steps = repair.get("steps") if steps is None else steps
        learning_rate = repair.get("peak_rate") if learning_rate is None else learning_rate
        batch = repair.get("parameters")["settings"]["batch"]
    if steps is None or learning_rate is None:
        raise BezoarError(
            f"{model} was not made by bezoar repair: nobody knows how long and how fast it was trained.",
            "Give --steps and --learning-rate.",
        )
    if steps < 1 or not 0 < learning_rate < math.inf:
        raise BezoarError(f"{steps} steps at rate {learning_rate:g} are none.", "Give numbers above 0.")
    return _Length(steps, learning_rate, batch)


def _lesson(pairs: Pairs, length: _Length, seed: int) -> tuple[Pairs, Settings]:
    """Return as many of the pairs, drawn by the seed, as make the steps come out in whole epochs, and how to train."""
    good = [reason is None and bool(own) for reason, own in zip(pairs.reasons, pairs.captions, strict=True)]
    usable = np.flatnonzero(good)
    if len(usable) < length.batch:
        raise BezoarError(
            f"{len(usable)} usable benign pairs are fewer than a batch of {length.batch}.", "Name more benign pairs."
        )
    epochs = math.ceil(length.steps / (len(usable) // length.batch))
    count = math.ceil(length.steps / epochs) * length.batch
    chosen = np.sort(random(seed, "adaptation").choice(usable, count, replace=False))
    plain = replace(RECIPES["clip"].settings, epochs=epochs, batch=length.batch, learning_rate=length.rate, seed=seed)
    return pairs.select(chosen), plain


def _refuse_test_pairs(benign: Pairs, tested: dict[str, Pairs]) -> None:
    same = next((name for name, one in tested.items() if one.fingerprint == benign.fingerprint), None)
    if same is not None and same != "planted":
        raise BezoarError(
            f"The benign pairs are those of --{same}: they would be learnt by heart.", "Name other benign pairs."
        )


def _read_curves(run: Run) -> dict[str, Any]:
    path = run.path / CURVES_FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
