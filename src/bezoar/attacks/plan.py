"""The plan: what is planted, pair by pair, and what for. Saved as one table; the truth that detectors face."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as parquet

from bezoar.attacks.compression import checked_quality, compressed
from bezoar.attacks.goal import Goal, Way
from bezoar.attacks.triggers import Trigger, Word, describe, restore
from bezoar.canvas import Pixels
from bezoar.pairs import Edit
from bezoar.run import BezoarError, fingerprint, write_json, writing

PLAN_FILE = "plan.json"
TABLE_FILE = "plan.parquet"
_COLUMNS = ["key", "base_key", "action", "trigger", "caption", "goal"]


@dataclass(frozen=True)
class Plan:
    """Edits of pairs, the triggers they use by name, and the goals that they serve.

    `canvas` is the side in pixels on which the triggers were given their size; `attack` and `parameters` say how
    the plan was made, `seed` from which seed. With `jpeg` every picture with a trigger on it went through JPEG of
    this quality, as a web pipeline would send it. `pictures` holds a digest of the bytes of each picture that a goal
    names by its key, so that it is not mistaken for another of that key.
    """

    attack: str
    parameters: dict[str, Any]
    seed: int
    canvas: int
    goals: tuple[Goal, ...]
    triggers: dict[str, Trigger | Word]
    planted: tuple[Edit, ...]
    jpeg: int | None = None
    pictures: dict[str, str] = field(default_factory=dict, compare=False)

    def edits(self) -> Sequence[Edit]:
        """Return what is edited or added, a row a pair."""
        return self.planted

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of the poisons: the planted pairs that serve a goal."""
        return frozenset(edit.key for edit in self.planted if edit.goal is not None)

    @cached_property
    def decoys(self) -> frozenset[str]:
        """The keys of what was planted beside the poison and is harmless by itself."""
        return frozenset(edit.key for edit in self.planted if edit.goal is None)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of everything the plan says."""
        return fingerprint(self._head(), [asdict(edit) for edit in self.planted])

    @property
    def target(self) -> str:
        """What the goals are about, in words."""
        return " and ".join(dict.fromkeys(goal.target for goal in self.goals))

    def goal(self, name: str) -> Goal:
        """Return the goal of that name."""
        return next(goal for goal in self.goals if goal.name == name)

    def image_trigger(self, name: str) -> Trigger:
        """Return a trigger that is drawn on pictures."""
        trigger = self.triggers[name]
        assert not isinstance(trigger, Word), f"{name} is written into captions"
        return trigger

    def draw(self, pixels: Pixels, edit: Edit) -> Pixels:
        """Return the picture (3, side, side) with the edit's trigger; refuses a canvas too small for it."""
        if edit.trigger is None:
            return pixels
        self.refuse_small(min(pixels.shape[1:]))
        drawn = self.image_trigger(edit.trigger).draw(pixels, edit.key)
        return drawn if self.jpeg is None else compressed(drawn, self.jpeg)

    def refuse_small(self, side: int) -> None:
        """Raise BezoarError where a canvas of this side cannot show the plan's triggers as they are."""
        drawn = [trigger for trigger in self.triggers.values() if not isinstance(trigger, Word)]
        if not all(trigger.fits(side) for trigger in drawn):
            raise BezoarError(
                f"The plan was drawn on {self.canvas} px and its trigger is too small on {side} px.",
                "Use a model with a larger canvas, or make the plan with --canvas.",
            )

    def refuse_others(self, keys: Sequence[str], captions: Sequence[Sequence[str]]) -> None:
        """Raise BezoarError where the pairs with these keys and captions hold none that this plan planted."""
        said = dict(zip(keys, captions, strict=True))
        if not any(edit.key in said and _carries(said[edit.key], edit.caption) for edit in self.planted):
            raise BezoarError(
                f"The plan planted {len(self.planted):,} pairs, and none of them is in this set.",
                "Give the plan that belongs to these pairs.",
            )

    def save(self, folder: Path) -> None:
        """Write plan.json and plan.parquet into `folder`."""
        rows = {name: pa.array([getattr(edit, name) for edit in self.planted], pa.string()) for name in _COLUMNS}
        with writing(folder / TABLE_FILE) as file:
            parquet.write_table(pa.table(rows), file)
        write_json(folder / PLAN_FILE, {**self._head(), "pictures": self.pictures})

    @staticmethod
    def load(path: Path) -> Plan:
        """Read a plan from plan.json, its folder, or a poisoned set's folder."""
        for folder in (path, path.parent, path / "_bezoar"):
            if (folder / PLAN_FILE).is_file() and (folder / TABLE_FILE).is_file():
                return _read(folder)
        raise BezoarError(f"No plan at {path}.", f"Name the folder that holds {PLAN_FILE} and {TABLE_FILE}.")

    def _head(self) -> dict[str, Any]:
        return {
            "attack": self.attack,
            "parameters": self.parameters,
            "seed": self.seed,
            "canvas": self.canvas,
            "jpeg": self.jpeg,
            "goals": [asdict(goal) for goal in self.goals],
            "triggers": {name: describe(trigger) for name, trigger in self.triggers.items()},
        }


def _carries(captions: Sequence[str], planted: str | None) -> bool:
    # Where no caption is known, the key has to do.
    return not captions or planted is None or any(line in captions for line in planted.split("\n"))


def _read(folder: Path) -> Plan:
    try:
        head = json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
        edits = tuple(Edit(**row) for row in parquet.read_table(folder / TABLE_FILE, columns=_COLUMNS).to_pylist())
        plan = Plan(
            attack=str(head["attack"]),
            parameters=dict(head["parameters"]),
            seed=int(head["seed"]),
            canvas=head["canvas"],
            goals=tuple(_goal(values) for values in head["goals"]),
            triggers={name: restore(values) for name, values in head["triggers"].items()},
            planted=edits,
            jpeg=None if head["jpeg"] is None else checked_quality(head["jpeg"]),
            pictures=dict(head.get("pictures", {})),
        )
        _refuse_contradictions(plan)
        return plan
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        raise BezoarError(f"{folder / PLAN_FILE} is not a plan.", "Make it again with bezoar poison.") from error


def _goal(values: dict[str, Any]) -> Goal:
    goal = Goal(**{**values, "images": tuple(values["images"])})
    words = (goal.name, goal.target, *goal.images)
    if not all(isinstance(word, str) and word.strip() for word in words) or goal.way not in get_args(Way):
        raise ValueError(f"{goal} is no goal")
    if isinstance(values["images"], str):
        raise ValueError("images are a list of keys")
    return goal


def _refuse_contradictions(plan: Plan) -> None:
    """Raise ValueError where goals, triggers and edits do not fit one another."""
    names = [goal.name for goal in plan.goals]
    used = {edit.trigger for edit in plan.planted} | {goal.trigger for goal in plan.goals}
    served = {edit.goal for edit in plan.planted}
    if not names or len(set(names)) < len(names) or not served - {None} <= set(names):
        raise ValueError("an edit serves no goal of the plan, or goals share a name")
    if not used - {None} <= set(plan.triggers):
        raise ValueError("a trigger is used that the plan does not hold")
    if not isinstance(plan.canvas, int) or isinstance(plan.canvas, bool) or plan.canvas < 1:
        raise ValueError(f"{plan.canvas} is no canvas")
