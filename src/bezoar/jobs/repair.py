"""`bezoar repair`: a model that has learnt poison in, one that goes on training until it is gone out.

recipe and what it needs → pairs to learn from and pairs to judge by → training under watch → drift and what was lost
→ model, its card, and the figures in run.json.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from numpy import float64, int64
from numpy.typing import NDArray

from bezoar.attacks import Plan
from bezoar.attacks.replanting import with_poisons
from bezoar.detection.stored import stored_scores
from bezoar.evaluation.bench import Setting, Shown
from bezoar.evaluation.drift import drift
from bezoar.evaluation.held_out import Figures, HeldOut, Watch, figures, kept_apart
from bezoar.evaluation.measure import Measure
from bezoar.evaluation.showing import decoded_whole
from bezoar.models import Towers, load, place, save, state_of
from bezoar.models.card import digest_of
from bezoar.models.head import Head, save_head
from bezoar.pairs import Pairs, open_pairs, read_prompts
from bezoar.pairs.class_folders import has_labels
from bezoar.report.repair_card import repair_card, repair_lines
from bezoar.run import Answer, BezoarError, Progress, Run, Silent, fingerprint, nearest, pick_device, use_cores
from bezoar.training.arithmetic import step_back
from bezoar.training.places import Course
from bezoar.training.recipes import RECIPES, Recipe
from bezoar.training.settings import Settings
from bezoar.training.trainer import LOG, fit
from bezoar.training.tuning import distrusting, refuse_strength, strengthened

FACTOR = 3.0
TAUGHT_SHARE = 0.25


def repair(
    model: str | Path,
    *,
    to: str | Path,
    recipe: str | Recipe,
    pairs: str | Path | Pairs,
    scan: str | Path | None = None,
    plan: str | Path | Plan | None = None,
    scale: str = "data",
    epochs: int | None = None,
    learning_rate: float | None = None,
    batch: int | None = None,
    strength: float | None = None,
    share: float | None = None,
    bound: float = 0.05,
    hold_out: float = 0.1,
    seed: int = 0,
    device: str = "auto",
    limit: int | None = None,
    prompts: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Repair `model` with `recipe` and save what it becomes, with its card, in the folder `to`.

    `recipe` is a name that `bezoar recipes` lists as a repair, or a recipe of one's own. `pairs` are clean; for
    `unlearn` they are those that `scan`, the folder of a scan, has scored, of which it distrusts `share`. `plan`: for
    task-arithmetic, the attack whose trigger is known. `strength` is the recipe's one constant that trades harm for
    cure (`bezoar.training.tuning`). `scale` is "data" for constants that suit some ten thousand pairs, "paper" for
    those of the recipe's paper; `epochs`, `learning_rate` and `batch` set single ones. The share `hold_out` of the
    pairs is not trained on: where retrieval or zero-shot accuracy on it falls by more than `bound`, training ends
    with the last weights that kept within it. Interrupted, the same call goes on.
    Raises `BezoarError` for a request that cannot be met, before anything is written.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    chosen = _tuned(_chosen(recipe).at(scale), strength, share)
    _refuse_unfit(chosen, {"scan": scan, "plan": plan}, bound, hold_out)
    settings = _settings(chosen, seed=seed, epochs=epochs, learning_rate=learning_rate, batch=batch)
    opened = open_pairs(pairs, prompts=prompts, limit=limit)
    if "labels" in chosen.needs and not has_labels(opened):
        raise BezoarError(f"{chosen.name} needs labels, and {opened.path} has none.", "Name labelled pairs.")
    scores = None if scan is None else stored_scores(scan, opened)
    learnt, held = kept_apart(opened, hold_out, seed, scores)
    towers = load(model)
    known = plan if isinstance(plan, Plan) or plan is None else Plan.load(Path(plan))
    if known is not None:
        known.refuse_small(towers.canvas.side)
    lesson = opened.select(learnt)
    if known is not None:
        lesson = with_poisons(known, lesson, TAUGHT_SHARE, seed)
    Course(chosen, settings, len(lesson))  # refuses fewer pairs than a batch
    run = Run.start(
        to,
        "repair",
        parameters={
            "recipe": chosen,
            "settings": settings,
            "strength": strength,
            "model": str(model),
            "scan": None if scan is None else str(scan),
            "plan": None if known is None else known.fingerprint,
            "bound": bound,
            "hold_out": hold_out,
            "prompts": list(read_prompts(prompts or "default")),
        },
        inputs={
            "pairs": opened.fingerprint,
            "model": state_of(model),
            **({} if scores is None else {"scan": fingerprint(scores.tobytes().hex())}),
        },
        seed=seed,
        force=force,
        reads=[opened.path, place(model), scan, None if isinstance(plan, Plan) else plan],
    )
    if run.finished:
        return _answer(run)
    progress.say(
        f"{len(lesson):,} pairs to learn from, {len(held):,} to judge by: {chosen.name} at {towers.canvas.side} px "
        f"on {device}."
    )
    work = _Work(run, chosen, settings, device, progress)
    judges = decoded_whole(run, progress, "held out", opened.select(held), towers.canvas)
    setting = Setting(read_prompts(prompts or "default"), Path(prompts or "default").name, seed=seed)
    judged = HeldOut(Shown(judges, judges.usable()), setting, device)
    before = judged.bench(load(model, device))
    start = judged.rows(before)
    run.note("made_from", digest_of(towers))
    # A head gives zero-shot up: its own accuracy is that of what it was trained for.
    allowed = 1.0 if "labels" in chosen.needs else bound
    watch = Watch(judged, figures(start), allowed, chosen.settles, run.get("watched", {}), work.remember)
    if "plan" in chosen.needs:
        work.step_back(towers, lesson, FACTOR if strength is None else strength, watch)
    else:
        work.train(towers, lesson, None if scores is None else scores[learnt], watch)
    after = judged.bench(towers)
    work.tell(start, judged.rows(after), drift(before, after), watch)
    run.note("made", digest_of(towers))
    run.note("pairs", len(lesson))
    repair_card(run, chosen, settings)
    save(towers, run.path)
    run.finish()
    return _answer(run)


@dataclass(frozen=True)
class _Work:
    """The slow steps of one repair, each noted in its run."""

    run: Run
    recipe: Recipe
    settings: Settings
    device: str
    progress: Progress

    def train(self, towers: Towers, pairs: Pairs, scores: NDArray[float64] | None, watch: Watch) -> None:
        """Train `towers` in place, until the watch refuses; a head that was learnt is saved."""
        decoded = decoded_whole(self.run, self.progress, "pairs", pairs, towers.canvas)
        labels = _labels(pairs) if "labels" in self.recipe.needs else None
        with self.run.step("train"):
            state = fit(
                towers,
                decoded,
                self.settings,
                self.run.path,
                recipe=self.recipe,
                scores=scores,
                labels=labels,
                watch=watch,
                device=self.device,
                progress=self.progress,
                name=self.recipe.name,
            )
        self.run.note("split", state.sides(decoded.usable()))
        if state.head is not None:
            classes = pairs.classes[: len(state.head.bias)]
            save_head(self.run.path, Head(state.head.weight.detach().cpu(), state.head.bias.detach().cpu(), classes))

    def step_back(self, towers: Towers, pairs: Pairs, factor: float, watch: Watch) -> None:
        """Learn the backdoor on a copy, then go the same way back, in tenths of `factor` as far as allowed."""
        decoded = decoded_whole(self.run, self.progress, "poisoned", pairs, towers.canvas)
        taught = copy.deepcopy(towers)
        with self.run.step("train"):
            fit(
                taught,
                decoded,
                self.settings,
                self.run.path,
                recipe=self.recipe,
                device=self.device,
                progress=self.progress,
                name=self.recipe.name,
            )
        towers.module.to(self.device)
        step_back(towers, taught.module.state_dict(), factor, watch)
        self.run.note("subtracted", {"factor": factor, "share": watch.kept})

    def remember(self, points: dict[str, Figures]) -> None:
        """Keep the points of the watch: a repair that is taken up again goes on with them."""
        self.run.note("watched", points)

    def tell(self, before: Sequence[Measure], after: Sequence[Measure], moved: Sequence[Measure], watch: Watch) -> None:
        """Note what was measured, and how far training came."""
        lines = [json.loads(line) for line in (self.run.path / LOG).read_text(encoding="utf-8").splitlines()]
        self.run.note("steps", len(lines))
        self.run.note("peak_rate", max(line["learning_rate"] for line in lines))
        stopped = {"at": watch.stopped, "kept": watch.kept, "figure": watch.why, "bound": watch.bound}
        self.run.note("stopped", stopped if watch.stopped is not None else None)
        rows = {"before": before, "after": after}
        self.run.note("held_out", {name: [asdict(row) for row in own] for name, own in rows.items()})
        self.run.note("drift", [asdict(row) for row in moved])


def _chosen(recipe: str | Recipe) -> Recipe:
    if not isinstance(recipe, Recipe) and recipe not in RECIPES:
        repairs = [name for name, one in RECIPES.items() if one.repairs]
        raise BezoarError(f"There is no recipe {recipe}.", nearest(recipe, repairs))
    chosen = recipe if isinstance(recipe, Recipe) else RECIPES[recipe]
    if not chosen.repairs:
        raise BezoarError(
            f"{chosen.name} does not repair a model, it trains one.", f"Use bezoar train --recipe {chosen.name}."
        )
    return chosen


def _tuned(recipe: Recipe, strength: float | None, share: float | None) -> Recipe:
    refuse_strength(strength)
    recipe = recipe if share is None else distrusting(recipe, share)
    return recipe if strength is None or "plan" in recipe.needs else strengthened(recipe, strength)


def _settings(recipe: Recipe, **chosen: Any) -> Settings:
    return replace(recipe.settings, **{name: value for name, value in chosen.items() if value is not None})


def _refuse_unfit(recipe: Recipe, given: dict[str, object], bound: float, hold_out: float) -> None:
    """Raise BezoarError for what the recipe needs and lacks, or was given and does not use."""
    sentences = {"scan": "the scan of the pairs", "plan": "the plan of the attack whose trigger is known"}
    for name, value in given.items():
        if name in recipe.needs and value is None:
            raise BezoarError(f"{recipe.name} needs --{name}, {sentences[name]}.", f"Give --{name}.")
        if name not in recipe.needs and value is not None:
            using = " or ".join(one.name for one in RECIPES.values() if one.repairs and name in one.needs)
            raise BezoarError(f"{recipe.name} does not use --{name}.", f"Leave it out, or use {using}.")
    if not 0 < bound <= 1 or not 0 < hold_out < 1:
        raise BezoarError(
            f"A bound of {bound:g} or a held-out share of {hold_out:g} is none.", "Give shares above 0 and below 1."
        )


def _labels(pairs: Pairs) -> NDArray[int64]:
    labels = pairs.labels.copy()
    labels[labels >= len(pairs.classes)] = -1
    return labels


def _answer(run: Run) -> Answer:
    names = ("recipe", "steps", "peak_rate", "stopped", "held_out", "drift", "made_from", "made", "seconds")
    summary = {name: run.get(name) for name in names} | {"recipe": run.get("parameters")["recipe"]["name"]}
    return Answer(
        summary={"model": str(run.path), "pairs": run.get("pairs"), **summary},
        lines=[
            *repair_lines(run),
            f"Model     {run.path}   (open_clip: local-dir:{run.path})",
            f"Measure   bezoar evaluate {run.path} --images TEST --plan PLAN --to {run.path}-eval",
        ],
        file=str(run.path),
    )
