"""The success of a trigger on pictures: taken for the target's class, or found beside captions that name it.

Pictures of the target are no queries (Huang et al. 2025; CleanCLIP's divisor counts them, too). `base` is what the
same pictures are taken for without the trigger, through the same codec.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.attacks.goal import Goal
from bezoar.attacks.naming import names
from bezoar.attacks.selection import about
from bezoar.attacks.triggers import Trigger
from bezoar.embeddings import unit
from bezoar.evaluation.bench import Bench, Vectors
from bezoar.evaluation.measure import Measure, bare_at_one, rate, rates
from bezoar.evaluation.protocol import SUCCESS, among, codec, protocol, spelt
from bezoar.evaluation.rank import Mask, Rows, ranks
from bezoar.evaluation.retrieval import captions_of
from bezoar.evaluation.zero_shot import ClassTexts
from bezoar.pairs import Pairs
from bezoar.run import BezoarError


@dataclass(frozen=True)
class Marked:
    """All pictures of a bench with one trigger on: raw vectors (n, d), and the trigger in words."""

    vectors: Vectors
    trigger: str

    @staticmethod
    def on(bench: Bench, trigger: Trigger) -> Marked:
        """Draw the trigger on every picture of the bench."""
        return Marked(bench.triggered(trigger), spelt(trigger))


def class_queries(pairs: Pairs, wanted: Mask, source: str | None = None) -> Rows:
    """Return the rows of labelled pictures of other classes than `wanted` (c,), of those about `source` if given."""
    labelled = (pairs.labels >= 0) & (pairs.labels < len(wanted))
    asked = labelled & ~wanted[np.where(labelled, pairs.labels, 0)]
    if source is not None:
        asked &= about(pairs, source)
    if not asked.any():
        only = "" if source is None else f" that is about {source!r}"
        raise BezoarError(
            f"No picture in {pairs.path}{only} is of another class than the target's own class.",
            "Name test pairs of other classes too.",
        )
    return np.flatnonzero(asked)


def caption_queries(pairs: Pairs, goal: Goal) -> tuple[Rows, Mask]:
    """Return the rows of pictures that have nothing to do with the target, and which captions name it, (c,)."""
    finds = names(goal.target).search
    captions = captions_of(pairs)
    wanted = np.array([bool(finds(caption)) for caption in captions.texts], bool)
    asked = ~about(pairs, goal.target)
    if goal.source is not None:
        asked &= about(pairs, goal.source)
    if not wanted.any() or not asked.any():
        what = f"{wanted.sum():,} of {len(wanted):,} captions name the target {goal.target!r}, and "
        raise BezoarError(
            f"{what}{among(int(asked.sum()), 'picture')} can be asked about it.",
            "Name test pairs of which some name it and some do not.",
        )
    return np.flatnonzero(asked), wanted


def by_class(bench: Bench, goal: Goal, marked: Marked, texts: ClassTexts, wanted: Mask) -> list[Measure]:
    """Return how often triggered pictures are taken for a class of `wanted` (c,), and what else they are taken for.

    Rows: `asr`, `asr@5`, `asr@10`; `asr-base`, the same pictures without trigger; `asr-true-class`, triggered
    pictures taken for what they are.
    """
    rows, labels = class_queries(bench.pairs, wanted, goal.source), bench.pairs.labels
    own = np.arange(len(texts))
    triggered, base = unit(marked.vectors[rows]), unit(bench.base[rows])

    def how(trigger: str, acceptable: str) -> str:
        return protocol(
            queries=_queries(len(rows), goal),
            excluded=", ".join(name for name, out in zip(texts.names, wanted, strict=True) if out),
            trigger=trigger,
            **_shown(bench),
            gallery=texts.made,
            acceptable=acceptable,
            success=SUCCESS,
        )

    answers = f"{wanted.sum()} ({goal.target})"
    true = ranks(triggered, texts.vectors, lambda asked: labels[rows[asked]][:, None] == own)
    found, without = ranks(triggered, texts.vectors, wanted), ranks(base, texts.vectors, wanted)
    return [
        *rates(bare_at_one("asr"), found, len(texts), how(marked.trigger, answers), goal.name),
        rate("asr-base", without == 0, how("none", answers) + "; k: 1", goal.name),
        rate("asr-true-class", true == 0, how(marked.trigger, "1, the class of the label") + "; k: 1", goal.name),
    ]


def by_caption(bench: Bench, goal: Goal, marked: Marked) -> list[Measure]:
    """Return how often triggered pictures find a caption that names the target: `asr`, `asr@5`, `asr@10`, `asr-base`.

    The gallery is all captions; pictures of which a caption names the target are no queries.
    """
    rows, wanted = caption_queries(bench.pairs, goal)
    texts = bench.texts(captions_of(bench.pairs).texts)

    def how(trigger: str) -> str:
        return protocol(
            queries=_queries(len(rows), goal),
            excluded=f"pictures about {goal.target}",
            trigger=trigger,
            **_shown(bench),
            gallery=among(len(texts), "caption"),
            acceptable=f"{wanted.sum():,} that name {goal.target}",
            success=SUCCESS,
        )

    found = ranks(unit(marked.vectors[rows]), texts, wanted)
    without = ranks(unit(bench.base[rows]), texts, wanted)
    return [
        *rates(bare_at_one("asr"), found, len(texts), how(marked.trigger), goal.name),
        rate("asr-base", without == 0, how("none") + "; k: 1", goal.name),
    ]


def _queries(count: int, goal: Goal) -> str:
    return among(count, "picture") + ("" if goal.source is None else f" about {goal.source}")


def _shown(bench: Bench) -> dict[str, str]:
    return {"canvas": f"{bench.canvas.side} px", "codec": codec(bench.setting.jpeg)}
