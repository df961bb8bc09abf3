"""What a plan says about single pairs, as far as reading them goes. Who plans what is decided above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bezoar.canvas import Pixels


@dataclass(frozen=True)
class Edit:
    """One planted pair.

    `replace`: the pair `key` gets `caption` and `trigger`. `add`: a new pair `key` at the end of the set.
    The picture is that of `base_key`; several captions stand in `caption` on a line each. A caption of None leaves
    the captions, a trigger of None the picture. `goal` names the goal that the pair serves; None marks a decoy,
    planted beside the poison and harmless by itself.
    """

    key: str
    base_key: str
    action: Literal["replace", "add"]
    caption: str | None = None
    trigger: str | None = None
    goal: str | None = None


class EditPlan(Protocol):
    """A plan, as a set of pairs sees it."""

    @property
    def fingerprint(self) -> str:
        """Return a digest that changes with whatever the plan does to a pair."""
        ...

    def edits(self) -> Sequence[Edit]:
        """Return all edits; the added pairs stand in this order at the end of the set."""
        ...

    def draw(self, pixels: Pixels, edit: Edit) -> Pixels:
        """Return the uint8 (3, side, side) canvas with the trigger of `edit` drawn."""
        ...
