"""The trainer: pairs, a model and a recipe in, a trained model and its log out.

* Batches, captions and looks are keyed by seed, epoch and pair, so a step depends on nothing but its place in the
  course: a run that was interrupted goes on from its checkpoint, in any phase, and ends with the same weights, bit
  for bit on a CPU with the same number of threads.
* Losses see the vectors of all processes: as many as share a batch, the gradient is that of the whole.
* A frozen tower (`Settings.learn`) is kept in checkpoints, too, and comes out bit for bit as it went in.
* Pictures are decoded once, unique captions encoded once a batch, the vocabulary is cut while training lasts.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from numpy.typing import NDArray
from torch.nn.attention import SDPBackend, sdpa_kernel

from bezoar.models import Towers
from bezoar.pairs.decoded import Decoded
from bezoar.run import BROKEN_DATA, BezoarError, Progress, fingerprint, random, write_bytes
from bezoar.training.captions import tokenize_captions
from bezoar.training.freezing import only
from bezoar.training.looks import Batch, Looks, Rows, caption_views, every_token
from bezoar.training.places import Course, Place
from bezoar.training.recipe import Pass, Phase, Recipe
from bezoar.training.recipes import RECIPES
from bezoar.training.settings import Settings
from bezoar.training.state import CHECKPOINT, State
from bezoar.training.step import Stepper
from bezoar.training.vocabulary import cut_vocabulary
from bezoar.views import Synonyms, open_synonyms

LOG = "log.jsonl"
CHECKPOINT_SECONDS = 10.0
WATCHED_POINTS = 10

Watch = Callable[[Towers, float], bool | None]


def fit(
    towers: Towers,
    decoded: Decoded,
    settings: Settings,
    folder: Path,
    *,
    recipe: Recipe = RECIPES["clip"],
    scores: NDArray[np.float64] | None = None,
    labels: NDArray[np.int64] | None = None,
    synonyms: Synonyms | None = None,
    watch: Watch | None = None,
    device: str = "cpu",
    progress: Progress,
    name: str = "train",
) -> State:
    """Train `towers` in place with `recipe` on the usable pairs of `decoded`.

    `scores` (n,): how suspicious a scan found each pair, for recipes that split by it. `labels` (n,): classes from 0,
    -1 for none, for recipes with a head. `watch` is called with the whole model, in evaluation mode, and the share of
    the steps that are done, at ten points: True accepts the weights, None goes on without accepting them, False ends
    training with the weights that were accepted last (those at the start, if none).

    Writes `log.jsonl` (a line a step) into `folder`, and a checkpoint from which the same call goes on; the
    checkpoint leaves when training is done. Raises `BezoarError` for fewer pairs than a batch and for a loss
    that is not finite (the last checkpoint then stays). With several devices every process but the first ends here.
    Returns what the training ended with: the split, the head, how far it came.
    """
    recipe = recipe if scores is None else recipe.with_scan()
    synonyms = synonyms or open_synonyms(None)
    table = tokenize_captions(decoded.pairs, towers)
    usable = decoded.usable()
    usable = usable[table.counts[usable] > 0]
    if labels is not None:
        usable = usable[labels[usable] >= 0]
    if scores is not None:
        usable = usable[np.isfinite(scores[usable])]
    course = Course(recipe, settings, len(usable))
    _refuse_uneven(recipe, settings)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces the precision on stderr
    fabric = _fabric(settings, device)
    fabric.launch()
    # The vocabulary is cut first: the embedding that trains, or is frozen, is the small one.
    with (
        cut_vocabulary(towers.module, every_token(towers, table, recipe, synonyms)) as vocabulary,
        only(settings.learn, towers.module),
        sdpa_kernel(_attention(device)),
    ):
        looks = Looks.of(towers, decoded, table, vocabulary, settings, synonyms)
        state = State(fabric, looks, course, scores, labels)
        walk = _Walk(fabric, looks, course, usable, state, Stepper(fabric, looks, recipe, state), watch)
        identity = fingerprint(
            decoded.pairs.fingerprint,
            settings,
            recipe,
            towers.config,
            len(usable),
            _digest(scores),
            _digest(labels),
            synonyms.found if caption_views(recipe) else None,
        )
        walk.all(folder, identity, progress, name)
    towers.module.to(device).eval()
    fabric.barrier()
    if fabric.global_rank != 0:
        raise SystemExit(0)  # the first process saves the model and answers
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return state


class _Walk:
    """One training from its first step to its last, or from the checkpoint to wherever it is stopped."""

    def __init__(
        self,
        fabric: Fabric,
        looks: Looks,
        course: Course,
        usable: Rows,
        state: State,
        stepper: Stepper,
        watch: Watch | None,
    ) -> None:
        self.fabric, self.looks, self.course, self.usable = fabric, looks, course, usable
        self.state, self.stepper, self.watch = state, stepper, watch

    def all(self, folder: Path, identity: str, progress: Progress, name: str) -> None:
        """Do what is left to do."""
        settings, state = self.course.settings, self.state
        folder.mkdir(parents=True, exist_ok=True)
        state.resume(folder, identity)
        self.fabric.barrier()
        speaks = self.fabric.global_rank == 0
        if speaks:
            _cut_log(folder / LOG, state.steps_done)
        kept_at = time.monotonic()
        total, done = self.course.steps * settings.batch, state.steps_done * settings.batch
        with progress.bar(name, total, done=min(done, total)) as bar, _log(folder / LOG, speaks) as log:
            for line in self.lines():
                log.write(json.dumps(line) + "\n")
                if time.monotonic() - kept_at > CHECKPOINT_SECONDS and state.is_finite():
                    log.flush()
                    state.keep(folder, identity)
                    kept_at = time.monotonic()
                bar.advance(settings.batch)
                bar.note(f"{line['phase']}, epoch {line['epoch'] + 1}, loss {line['loss']:.2f}")

    def lines(self) -> Iterator[dict[str, Any]]:
        """Do step after step; yields the log line of each."""
        state, course = self.state, self.course
        for number, phase in enumerate(() if state.stopped else course.recipe.phases):
            for epoch in range(course.epochs_of(phase)):
                if (number, epoch) < (state.place.phase, state.place.epoch):
                    continue
                if (number, epoch) > (state.place.phase, state.place.epoch) or not state.begun:
                    self.begin(number, epoch, phase)
                for place, walk in enumerate(phase.passes):
                    if epoch % walk.of == walk.turn and place >= state.place.walk:
                        yield from self.walked(phase, Place(number, epoch, place), walk)
                        if state.stopped:
                            return
        # Where rows are split, whole batches of each side are fewer than those of all: the end is asked in any case.
        if self.watch is not None and not state.stopped and state.asked < 1.0:
            self._ask(1.0)

    def begin(self, number: int, epoch: int, phase: Phase) -> None:
        """Split the rows before an epoch, and start with new weights where the phase says so."""
        state = self.state
        if epoch == 0:
            state.safe, state.worst, state.share = None, None, None
        if phase.split is not None and (state.safe is None or not phase.once):
            state.divide(phase.split, self.usable)
        if phase.restart and epoch == 0:
            state.restart()
        state.place, state.begun, state.epochs_done = Place(number, epoch), True, state.epochs_done + 1

    def walked(self, phase: Phase, start: Place, walk: Pass) -> Iterator[dict[str, Any]]:
        """Do the steps of one pass that are left; yields their log lines."""
        state, course, settings = self.state, self.course, self.course.settings
        rows = state.rows(walk.rows, self.usable)
        count = course.steps_in(phase, start.epoch, len(rows))
        first = state.place.step if state.place.walk == start.walk else 0
        names = (start.phase, start.epoch, start.walk)
        order = rows[random(settings.seed, "order", *self._order_names(names)).permutation(len(rows))]
        captions = self.looks.table.pick(settings.seed, state.epochs_done - 1)
        beside = self._beside(walk, count, names)
        for step in range(first, count):
            started = time.perf_counter()
            positions = order[step * settings.batch : (step + 1) * settings.batch]
            batch = Batch(positions, captions[positions], state.epochs_done - 1)
            joined = None if beside is None else Batch(beside[step], captions[beside[step]], batch.epoch)
            now = course.progress(phase, start.epoch, step, count)
            rate = walk.rate * phase.rate(settings, now, course.steps_of(phase))
            losses = self.stepper.step(walk, batch, joined, rate)
            self._refuse_infinite(losses["loss"])
            state.place = Place(*names, step + 1)
            state.steps_done += 1
            seconds = time.perf_counter() - started
            # Before the line, with which a checkpoint may be written: a point of the watch is asked once.
            goes_on = self.watch is None or self._goes_on()
            yield {
                "phase": phase.name,
                "pass": walk.name,
                "epoch": state.epochs_done - 1,
                "step": state.steps_done - 1,
                **{name: round(value, 6) for name, value in losses.items()},
                "learning_rate": rate,
                "pairs_per_s": round(len(positions) / seconds, 1),
            }
            if not goes_on:
                return

    def _order_names(self, names: tuple[int, int, int]) -> tuple[int | str, ...]:
        # One walk over all rows an epoch, in one phase: the plain case keeps its simple name.
        return (names[1],) if names[0] == names[2] == 0 else names

    def _beside(self, walk: Pass, count: int, names: tuple[int, int, int]) -> Rows | None:
        """Return which distrusted rows join each step of a pass, (count, beside): all of them in turn."""
        if not walk.beside:
            return None
        worst = self.state.rows("worst", self.usable)
        if len(worst) == 0:
            raise BezoarError(
                "The scan speaks of no campaign, so there is nothing to unlearn.", "Say with --share how many to push."
            )
        draw = random(self.course.settings.seed, "beside", *names)
        rounds = -(-count * walk.beside // len(worst))
        turns = np.concatenate([draw.permutation(worst) for _ in range(rounds)] or [worst[:0]])
        return cast(Rows, turns[: count * walk.beside].reshape(count, walk.beside))

    def _goes_on(self) -> bool:
        """Ask the watch at each of its points; where it refuses, the last accepted weights come back."""
        state, steps = self.state, self.course.steps
        points = [math.ceil(steps * point / WATCHED_POINTS) for point in range(1, WATCHED_POINTS + 1)]
        if state.steps_done not in points:
            return True
        return self._ask(state.steps_done / steps)

    def _ask(self, share: float) -> bool:
        assert self.watch is not None
        state, towers = self.state, self.looks.towers
        with self.looks.vocabulary.whole():
            towers.module.eval()
            accepted = self.fabric.broadcast(self.watch(towers, share))
        state.train_mode()
        state.asked = share
        if accepted:
            state.accept()
        elif accepted is False:
            state.go_back()
        return accepted is not False

    def _refuse_infinite(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise BezoarError(
                f"The loss is {loss} at step {self.state.steps_done}.",
                "Lower --learning-rate or use --precision 32-true; the last checkpoint is kept.",
                BROKEN_DATA,
            )


def _fabric(settings: Settings, device: str) -> Fabric:
    # A pass may leave a tower without gradients (RoCLIP's nearest captions, a head), which DDP has to be told.
    strategy: Any = DDPStrategy(find_unused_parameters=True) if settings.devices > 1 else "auto"
    return Fabric(
        accelerator=device, devices=settings.devices, precision=cast(Any, settings.precision), strategy=strategy
    )


def _refuse_uneven(recipe: Recipe, settings: Settings) -> None:
    beside = max(walk.beside for phase in recipe.phases for walk in phase.passes)
    if beside % (settings.devices * settings.accumulate):
        raise BezoarError(
            f"{beside} rows beside a batch do not go into {settings.accumulate} parts on {settings.devices} devices.",
            "Use fewer parts or devices.",
        )


def _digest(numbers: NDArray[Any] | None) -> str | None:
    return None if numbers is None else fingerprint(np.ascontiguousarray(numbers).tobytes().hex())


def _attention(device: str) -> list[SDPBackend]:
    # Flash attention's backward on a CPU took half of the text step for captions of sixteen tokens.
    every = [SDPBackend.MATH, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.FLASH_ATTENTION]
    return [SDPBackend.MATH] if device == "cpu" else every


def _log(path: Path, speaks: bool) -> TextIO:
    return path.open("a") if speaks else Path(os.devnull).open("w")


def _cut_log(path: Path, steps: int) -> None:
    """Keep the first `steps` lines: what came after the checkpoint is done again."""
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    write_bytes(path, b"".join(lines[:steps]))
