"""Whether a model took in a trigger, asked on pictures that it was trained on without it.

There is no test set where a scan plants canaries: the set's own pictures get the trigger, and its own captions are the
gallery.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks import Plan
from bezoar.attacks.goal import Goal
from bezoar.attacks.selection import about
from bezoar.evaluation.backdoor import Marked, by_caption
from bezoar.evaluation.bench import Bench, Setting, Shown
from bezoar.evaluation.measure import Measure
from bezoar.models import Clip
from bezoar.pairs.decoded import Decoded
from bezoar.run import random

ASKED, ANSWERS = 300, 20


def taken(
    clip: Clip, decoded: Decoded, rows: NDArray[np.int64], plan: Plan, goal: Goal, *, seed: int = 0, device: str = "cpu"
) -> tuple[Measure, Measure]:
    """Return how often a picture with the goal's trigger on finds a caption that names the target, before all others,
    and how often it does without the trigger.

    Asked are ASKED pictures of `rows` that do not show the target; the gallery is their captions and those of ANSWERS
    pairs about it. `rows` must hold at least one of either kind.
    """
    shows = about(decoded.pairs, goal.target)[rows]
    draw = random(seed, "taken", goal.name)
    asked, answers = (draw.permutation(rows[one])[:count] for one, count in ((~shows, ASKED), (shows, ANSWERS)))
    bench = Bench(clip, device, Shown(decoded, np.sort(np.concatenate([asked, answers]))), Setting(()))
    assert goal.trigger is not None
    found = by_caption(bench, goal, Marked.on(bench, plan.image_trigger(goal.trigger)))
    with_trigger, without = (next(one for one in found if one.name == name) for name in ("asr", "asr-base"))
    return with_trigger, without
