"""The constants of a repair that its user may turn: strength, which trades harm for cure, and the distrusted share.

* What the strength is follows from the losses that a recipe asks for, so a recipe of one's own has one, too.
* A recipe without such a constant refuses to have it turned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bezoar.run import BezoarError
from bezoar.training.recipe import Phase, Recipe
from bezoar.training.splits import Fraction


@dataclass(frozen=True)
class Knob:
    """The constant in words, how it is read, and how it is set."""

    meaning: str
    read: Callable[[Recipe], float]
    turn: Callable[[Recipe, float], Recipe]


def _weight_of(term: str) -> Knob:
    def read(recipe: Recipe) -> float:
        return max(
            weight for phase in recipe.phases for walk in phase.passes for weight, name in walk.terms if name == term
        )

    def turn(recipe: Recipe, strength: float) -> Recipe:
        phases = []
        for phase in recipe.phases:
            walks = [
                replace(walk, terms=tuple((strength if name == term else weight, name) for weight, name in walk.terms))
                for walk in phase.passes
            ]
            phases.append(replace(phase, passes=tuple(walks)))
        return replace(recipe, phases=tuple(phases))

    return Knob(f"the weight of the loss {term}", read, turn)


def _threshold() -> Knob:
    def turn(recipe: Recipe, strength: float) -> Recipe:
        return replace(recipe, settings=replace(recipe.settings, threshold=strength))

    return Knob("the squared distance at which vectors are let go", lambda recipe: recipe.settings.threshold, turn)


# By the loss that a recipe asks for.
_KNOBS = {
    "image-distance": _threshold(),
    "push": _weight_of("push"),
    "within-modality": _weight_of("within-modality"),
}


def knob_of(recipe: Recipe) -> Knob | None:
    """Return the constant that a recipe's strength is, None where it has none of its losses'."""
    return next((knob for term, knob in _KNOBS.items() if recipe.uses(term)), None)


def refuse_strength(strength: float | None) -> None:
    """Raise BezoarError for a strength that is no finite number above 0."""
    if strength is not None and not 0 < strength < float("inf"):
        raise BezoarError(f"A strength of {strength:g} is none.", "Give one above 0.")


def strengthened(recipe: Recipe, strength: float) -> Recipe:
    """Return the recipe with its constant at `strength`, above 0; BezoarError where it has none."""
    refuse_strength(strength)
    knob = knob_of(recipe)
    if knob is None:
        raise BezoarError(f"{recipe.name} has no strength.", "Leave out --strength; --learning-rate or --epochs do it.")
    return knob.turn(recipe, strength)


def distrusting(recipe: Recipe, share: float) -> Recipe:
    """Return the recipe with so large a `share` of the scanned pairs distrusted; BezoarError where it splits none."""
    if not any(_by_scan(phase) for phase in recipe.phases):
        raise BezoarError(f"{recipe.name} distrusts no share of a scan's pairs.", "Leave out --share.")
    if not 0 < share < 1:
        raise BezoarError(f"--share {share:g} is not between 0 and 1.", "Give a share such as 0.02.")
    phases = [
        replace(phase, split=replace(phase.split, rule=Fraction(1 - share)))
        if phase.split is not None and _by_scan(phase)
        else phase
        for phase in recipe.phases
    ]
    return replace(recipe, phases=tuple(phases))


def _by_scan(phase: Phase) -> bool:
    return phase.split is not None and phase.split.signal == "scan"
