"""What models are tested on: the sets that were named, opened, and fit for each other and for the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bezoar.attacks import Plan
from bezoar.canvas import Canvas
from bezoar.evaluation.exam import Assigned, assign
from bezoar.evaluation.probe import probe_labels
from bezoar.evaluation.targeted import planted_pixels, refuse_other_pictures
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.class_folders import has_labels, open_labelled
from bezoar.run import BezoarError

Source = str | Path | Pairs


@dataclass(frozen=True)
class Material:
    """Open sets: pictures with classes, pictures with captions (perhaps the same), and what a plan and a probe need."""

    labelled: Pairs | None
    captioned: Pairs | None
    planted: Pairs | None
    probe: Pairs | None
    plan: Plan | None
    assigned: Assigned

    @property
    def sets(self) -> dict[str, Pairs]:
        """The sets by the names of their options."""
        images = None if self.labelled is self.captioned else self.labelled
        named = {"images": images, "pairs": self.captioned, "planted": self.planted, "probe": self.probe}
        return {name: pairs for name, pairs in named.items() if pairs is not None}

    def refuse_canvas(self, canvas: Canvas) -> None:
        """Raise BezoarError where the plan cannot be measured on this canvas."""
        if self.plan is None:
            return
        self.plan.refuse_small(canvas.side)
        keys = [key for goal in self.plan.goals for key in goal.images]
        if keys:
            planted_pixels(self.planted, keys, canvas)


def open_material(
    *,
    images: Source | None,
    pairs: Source | None,
    plan: Plan | None = None,
    planted: Source | None = None,
    probe: Source | None = None,
    templates: Sequence[str],
    limit: int | None = None,
) -> Material:
    """Open what was named. Raises BezoarError for what cannot be measured.

    Labelled pairs serve as images where no images are named. `templates` caption pictures that have a label only.
    """
    if images is None and pairs is None:
        raise BezoarError("There is nothing to measure on.", "Name --images, pictures with labels, or --pairs.")
    captioned = None if pairs is None else open_pairs(pairs, templates, limit)
    labelled = captioned if captioned is not None and has_labels(captioned) else None
    if images is not None:
        labelled = open_labelled(images, templates, limit)
    fitted = None if probe is None else open_labelled(probe, templates, limit)
    if fitted is not None:
        if labelled is None:
            raise BezoarError("A probe is measured on pictures with labels.", "Name them: --images.")
        probe_labels(fitted, labelled.classes)
    assigned = Assigned() if plan is None else assign(plan, labelled, captioned)
    opened = None if planted is None else open_pairs(planted, templates)
    if opened is not None:
        if plan is None or not any(goal.images for goal in plan.goals):
            raise BezoarError("--planted has no effect here: no plan is about single pictures.", "Leave it out.")
        refuse_other_pictures(plan, opened)
    return Material(labelled, captioned, opened, fitted, plan, assigned)
