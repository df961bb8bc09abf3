"""Triggers: keyed, deterministic changes of a picture on its canvas, the same object in training and in test.

* Geometry is in fractions of the side, so that one trigger fits every canvas and every picture's own resolution.
* `draw` takes uint8 (3, height, width) and returns a new array of the same shape; it depends on the pixels and
  the pair's key alone.
* `fits(side)` is false where a canvas is too small for the trigger to be itself.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

from bezoar.attacks.triggers.patch import Patch
from bezoar.attacks.triggers.tint import Tint
from bezoar.canvas import Pixels
from bezoar.run import BezoarError


class Trigger(Protocol):
    """What a plan draws on a picture."""

    def draw(self, pixels: Pixels, key: str) -> Pixels:
        """Return the picture of pair `key` with the trigger on it."""
        ...

    def fits(self, side: int) -> bool:
        """Say whether a canvas of this side shows the trigger at its least size or more."""
        ...


TRIGGERS: dict[str, type[Patch] | type[Tint]] = {"patch": Patch, "tint": Tint}


def describe(trigger: Trigger) -> dict[str, Any]:
    """Return the trigger as plain values that `restore` takes."""
    kind = next(name for name, known in TRIGGERS.items() if type(trigger) is known)
    return {"kind": kind, **asdict(trigger)}  # type: ignore[call-overload]


def restore(values: dict[str, Any]) -> Trigger:
    """Make the trigger that `describe` described."""
    arguments = {name: _frozen(value) for name, value in values.items() if name != "kind"}
    try:
        return TRIGGERS[values["kind"]](**arguments)
    except (KeyError, TypeError) as error:
        raise BezoarError(
            f"The plan has a trigger that this version does not know: {values.get('kind')}.",
            "Use the version that wrote it.",
        ) from error


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


__all__ = ["TRIGGERS", "Patch", "Tint", "Trigger", "describe", "restore"]
