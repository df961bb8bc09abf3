"""Targeted poisoning: are single pictures taken for what the attacker said (Carlini & Terzis 2022, section 3.1)?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks import Plan
from bezoar.attacks.goal import Goal
from bezoar.attacks.naming import names
from bezoar.attacks.selection import picture_digest
from bezoar.canvas import Canvas, Pixels
from bezoar.embeddings import encode_pictures, unit
from bezoar.evaluation.bench import Bench, Vectors
from bezoar.evaluation.measure import Measure, bare_at_one, rate, rates
from bezoar.evaluation.protocol import SUCCESS, among, protocol
from bezoar.evaluation.rank import Mask, ranks
from bezoar.evaluation.retrieval import captions_of
from bezoar.evaluation.zero_shot import class_answers
from bezoar.pairs import Pairs, UnreadablePair
from bezoar.run import BezoarError


def planted_pixels(planted: Pairs | None, keys: Sequence[str], canvas: Canvas) -> Pixels:
    """Return the pictures of `keys` in the set that a plan was made for, uint8 (n, 3, side, side)."""
    if planted is None:
        raise BezoarError(
            f'The plan is about single pictures, such as "{keys[0]}".', "Name the set that it was made for: --planted."
        )
    missing = next((key for key in keys if key not in planted.positions), None)
    if missing is not None:
        raise BezoarError(
            f'No picture "{missing}" in {planted.path}, which the plan is about.', "Name the set that it was made for."
        )
    try:
        return np.stack([planted.pixels(planted.position(key), canvas) for key in keys])
    except UnreadablePair as fault:
        raise BezoarError(f"A picture of the plan in {planted.path} is {fault}.", "Name another copy.") from fault


def refuse_other_pictures(plan: Plan, planted: Pairs) -> None:
    """Raise BezoarError where a picture that the plan's goals name is another in `planted`."""
    for key, digest in plan.pictures.items():
        if key in planted.positions and picture_digest(planted, key) != digest:
            raise BezoarError(
                f'"{key}" in {planted.path} is not the picture that the plan is about.',
                "Name the set that the plan was made for.",
            )


def acceptable_texts(goals: Sequence[Goal], pairs: Pairs, by_class: bool) -> Mask:
    """Return which classes, or which captions, of `pairs` count for each picture of the goals, (q, g)."""
    if by_class:
        marked = [class_answers(pairs.classes, goal.target) for goal in goals for _ in goal.images]
    else:
        texts = captions_of(pairs).texts
        finders = [names(goal.target).search for goal in goals for _ in goal.images]
        marked = [np.array([bool(finds(text)) for text in texts], bool) for finds in finders]
    return np.stack(marked)


def targeted_success(bench: Bench, goals: Sequence[Goal], planted: Pairs, by_class: bool) -> list[Measure]:
    """Return psr, psr@5 and psr@10 over the pictures of all goals, and psr-true-class where they have labels.

    The gallery is the bench's classes or captions; a text that names the goal's target counts.
    """
    keys = [key for goal in goals for key in goal.images]
    vectors = _vectors(bench, planted, keys)
    wanted = acceptable_texts(goals, bench.pairs, by_class)
    if by_class:
        gallery, made = bench.class_texts.vectors, bench.class_texts.made
    else:
        captions = captions_of(bench.pairs).texts
        gallery, made = bench.texts(captions), among(len(captions), "caption")
    how = protocol(
        queries=f"{among(len(keys), 'poisoned picture')}, as they are",
        canvas=f"{bench.canvas.side} px",
        gallery=made,
        acceptable=f"{_range(wanted.sum(axis=1))} that name the target of the picture",
        success=SUCCESS,
    )
    found = ranks(vectors, gallery, lambda rows: wanted[rows])
    rows = rates(bare_at_one("psr"), found, len(gallery), how)
    return [*rows, *_true_class(bench, planted, keys, vectors)] if by_class else rows


def _true_class(bench: Bench, planted: Pairs, keys: Sequence[str], vectors: Vectors) -> list[Measure]:
    """Return how many of the pictures are taken for what their own label says, among those that have one."""
    place = {name: number for number, name in enumerate(bench.class_texts.names)}
    labels = [int(planted.labels[planted.position(key)]) for key in keys]
    known = [planted.classes[label] if 0 <= label < len(planted.classes) else "" for label in labels]
    rows = np.array([row for row, name in enumerate(known) if name in place], np.int64)
    if not len(rows):
        return []
    own = np.array([place[known[row]] for row in rows])[:, None] == np.arange(len(bench.class_texts))
    found = ranks(vectors[rows], bench.class_texts.vectors, lambda asked: own[asked])
    how = protocol(
        queries=f"{among(len(rows), 'poisoned picture')}, as they are",
        canvas=f"{bench.canvas.side} px",
        gallery=bench.class_texts.made,
        acceptable="1, the class of the label",
        success=SUCCESS,
    )
    return [rate("psr-true-class", found == 0, f"{how}; k: 1")]


def _range(counts: NDArray[np.int64]) -> str:
    least, most = counts.min(), counts.max()
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _vectors(bench: Bench, planted: Pairs, keys: Sequence[str]) -> Vectors:
    pixels = planted_pixels(planted, keys, bench.canvas)
    return unit(encode_pictures(bench.clip, pixels, device=bench.device)[0])
