"""What the grid of defences holds: attacks by set, trainings and repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bezoar.training.recipes import Recipe, safeclip


@dataclass(frozen=True)
class Defence:
    """A recipe as the tables name it.

    `kind` is "training", "repair" or "adaptation"; `setting` says in words what departs from the recipe's defaults,
    `options` are handed to the job. `uses`: "scan" or "plan". `flags`: which pairs a scan is made to flag instead.
    """

    name: str
    kind: str
    recipe: str | Recipe
    setting: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    uses: tuple[str, ...] = ()
    flags: str = ""


ATTACKS = {
    "generated": ("badnets", "blended", "nashville", "targeted", "clean-label"),
    "cifar10": ("badnets", "blended", "clean-label"),
}
# Rates of single pictures need many of them: sixty over three seeds.
CELL_OF = {("generated", "targeted"): "targeted-20"}
TRAININGS = (
    Defence("clip", "training", "clip"),
    Defence("clip-augmented", "training", "clip-augmented"),
    Defence("filter-then-train", "training", "filter-then-train", uses=("scan",)),
    Defence("filter-augmented", "training", "filter-augmented", uses=("scan",)),
    Defence("roclip", "training", "roclip"),
    Defence("safeclip", "training", "safeclip"),
    Defence("safeclip-density", "training", safeclip("density"), "routed by density"),
    Defence("safeclip-view-mismatch", "training", safeclip("view-mismatch"), "routed by view mismatch"),
)
SECOND_VICTIM = Defence("clip-ssl", "training", "clip-ssl")


def _repair(name: str, recipe: str, setting: str = "", **options: Any) -> Defence:
    uses = {"unlearn": ("scan",), "task-arithmetic": ("plan",)}.get(recipe, ())
    # Without a bound, so that what a repair costs is seen; task-arithmetic ends by nothing else.
    bound = {} if recipe == "task-arithmetic" else {"bound": 1.0}
    return Defence(name, "repair", recipe, setting, {**bound, **options}, uses)


_UNLEARN = _repair("unlearn", "unlearn")
REPAIRS = (
    Defence("none", "repair", "none"),
    _repair("clean-finetune", "clean-finetune"),
    _repair("cleanclip-1", "cleanclip", "λ = 1", strength=1.0),
    _repair("cleanclip-4", "cleanclip", "λ = 4", strength=4.0),
    _repair("cleanclip-16", "cleanclip", "λ = 16", strength=16.0),
    _repair("supervised-finetune", "supervised-finetune"),
    _repair("par", "par"),
    _repair("task-arithmetic", "task-arithmetic"),
    _UNLEARN,
    replace(_UNLEARN, name="unlearn-half-wrong", setting="half of the scan's top 2 % are others", flags="half"),
    replace(_UNLEARN, name="unlearn-random", setting="the scan's scores are shuffled", flags="random"),
)
# Points of the curve of success against accuracy, beside the repairs above; on badnets.
CURVE = (
    *(
        _repair(f"{recipe}-{name}", recipe, said, **options)
        for recipe in ("clean-finetune", "cleanclip")
        for name, said, options in (
            ("rate-5e-4", "rate 5e-4", {"learning_rate": 5e-4}),
            ("rate-4e-3", "rate 4e-3", {"learning_rate": 4e-3}),
            ("20-epochs", "20 epochs", {"epochs": 20}),
            ("400-pairs", "400 clean pairs, 40 epochs", {"limit": 400, "epochs": 40}),
        )
    ),
)
ADAPTED = tuple(replace(one, name=f"adapted-{one.name}", kind="adaptation") for one in REPAIRS if not one.flags)
