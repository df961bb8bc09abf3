"""The classifier that lies beside a model: what it takes pictures for, with and without a trigger.

Its classes are matched with those of the test set by name. Pictures of a class that it does not know are no queries of
its accuracy; a goal whose target it does not know has no row.
"""

from __future__ import annotations

import numpy as np

from bezoar.attacks.goal import Goal
from bezoar.evaluation.backdoor import Marked, class_queries
from bezoar.evaluation.bench import Bench, Vectors
from bezoar.evaluation.measure import Measure, rate
from bezoar.evaluation.protocol import among, codec, protocol
from bezoar.evaluation.zero_shot import class_answers
from bezoar.models.head import Head


def head_accuracy(head: Head, bench: Bench) -> list[Measure]:
    """Return head-top1: the share of test pictures that the head takes for what their label says."""
    place = {name: number for number, name in enumerate(head.classes)}
    labels = np.array([place.get(name, -1) for name in bench.pairs.classes], np.int64)[bench.pairs.labels]
    known = labels >= 0
    if not known.any():
        return []
    excluded = among(int((~known).sum()), "picture") + " of other classes" if not known.all() else None
    how = protocol(
        queries=among(int(known.sum()), "picture"),
        excluded=excluded,
        canvas=f"{bench.canvas.side} px",
        head=_made(head),
    )
    return [rate("head-top1", head.predict(bench.plain[known]) == labels[known], how)]


def head_success(head: Head, bench: Bench, goal: Goal, marked: Marked) -> list[Measure]:
    """Return asr-head and asr-head-base: pictures of other classes that the head takes for the goal's target."""
    wanted = class_answers(head.classes, goal.target)
    if not wanted.any():
        return []
    out = class_answers(bench.pairs.classes, goal.target)
    rows = class_queries(bench.pairs, out, goal.source)

    def row(name: str, vectors: Vectors, trigger: str) -> Measure:
        how = protocol(
            queries=among(len(rows), "picture"),
            excluded=", ".join(name for name, left in zip(bench.pairs.classes, out, strict=True) if left),
            trigger=trigger,
            canvas=f"{bench.canvas.side} px",
            codec=codec(bench.setting.jpeg),
            head=_made(head),
        )
        return rate(name, wanted[head.predict(vectors[rows])], how, goal.name)

    return [row("asr-head", marked.vectors, marked.trigger), row("asr-head-base", bench.base, "none")]


def _made(head: Head) -> str:
    return f"linear on raw vectors, {among(len(head.classes), 'class')}"
