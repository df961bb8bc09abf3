"""Searches that an attacker bends: texts of A that retrieve pictures of B, or pictures of A texts of B.

Yang et al. 2023, section 3; and captions with a trigger word that retrieve pictures of the target. A search is a
query with its rank: hit@k is the share of ranks up to k, min-rank their mean, both from rank 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bezoar.attacks.goal import Goal
from bezoar.attacks.naming import names
from bezoar.attacks.selection import about
from bezoar.attacks.triggers import Word
from bezoar.embeddings import encode_pictures, unit
from bezoar.evaluation.bench import Bench
from bezoar.evaluation.measure import Measure, mean, rates
from bezoar.evaluation.protocol import SUCCESS, among, protocol, spelt
from bezoar.evaluation.rank import Mask, Rows, ranks
from bezoar.evaluation.retrieval import Captions, captions_of
from bezoar.evaluation.targeted import planted_pixels
from bezoar.pairs import Pairs
from bezoar.run import BezoarError, random


@dataclass(frozen=True)
class Search:
    """What a goal asks of a test set: rows of queries, rows for the baseline, and which answers count, (g,)."""

    queries: Rows
    others: Rows
    acceptable: Mask


def text_search(pairs: Pairs, goal: Goal) -> Search:
    """Return captions that name the source (without one: all), of pictures that are not about the target.

    `others` are captions that name neither; what counts are pictures about the target, or the goal's own pictures.
    """
    captions, target = captions_of(pairs), about(pairs, goal.target)
    free = ~target[captions.owner]
    naming = _naming(captions, goal.source)
    if not (free & naming).any():
        what = "has nothing to do with" if goal.source is None else f"names {goal.source!r} and not"
        raise BezoarError(f"No caption in {pairs.path} {what} {goal.target!r}.", "Name --pairs of which some do.")
    if not goal.images and not target.any():
        raise BezoarError(f"No picture in {pairs.path} is about {goal.target!r}.", "Name --pairs of which some are.")
    others = free & ~naming if goal.source is not None else np.zeros(len(captions), bool)
    return Search(np.flatnonzero(free & naming), np.flatnonzero(others), target & (not goal.images))


def picture_search(pairs: Pairs, goal: Goal) -> Search:
    """Return pictures about the source and not about the target; what counts are captions that name the target."""
    assert goal.source is not None
    captions, target, source = captions_of(pairs), about(pairs, goal.target), about(pairs, goal.source)
    wanted = _naming(captions, goal.target)
    if not (source & ~target).any() or not wanted.any():
        raise BezoarError(
            f"{among(int((source & ~target).sum()), 'picture')} in {pairs.path} can be asked about {goal.source!r}, "
            f"and {among(int(wanted.sum()), 'caption')} can answer with {goal.target!r}.",
            "Name --pairs that have both.",
        )
    return Search(np.flatnonzero(source & ~target), np.flatnonzero(~source & ~target), wanted)


def text_searches(bench: Bench, goal: Goal, word: Word | None, planted: Pairs | None) -> list[Measure]:
    """Return hit@k and min-rank of captions that look for pictures, and the baselines on the same model.

    With a `word` it is written into every query, and the baseline (`-base`) is the same captions without it; with a
    source the baseline (`-random-captions`) is as many other captions, drawn by the seed.
    """
    pairs, search, captions = bench.pairs, text_search(bench.pairs, goal), captions_of(bench.pairs)
    gallery, acceptable = unit(bench.plain), search.acceptable
    if goal.images:
        pixels = planted_pixels(planted, goal.images, bench.canvas)
        single = unit(encode_pictures(bench.clip, pixels, device=bench.device)[0])
        # The picture itself may be one of the test pictures: it counts, and a copy of it would be a tie.
        same = planted is not None and planted.path == pairs.path
        acceptable = np.array([same and key in goal.images for key in pairs.keys], bool)
        missing = [row for row, key in enumerate(goal.images) if not (same and key in pairs.positions)]
        gallery = np.concatenate([gallery, single[missing]])
        acceptable = np.concatenate([acceptable, np.ones(len(missing), bool)])
    answers = "the plan's own" if goal.images else f"about {goal.target}"
    told = _Told(bench, goal, among(len(gallery), "picture"), len(gallery), f"{acceptable.sum():,}, {answers}")

    def measured(rows: Rows, suffix: str, queries: str, written: Word | None) -> list[Measure]:
        texts = [captions.texts[row] for row in rows]
        if written is not None:
            keys = [pairs.keys[captions.owner[row]] for row in rows]
            texts = [written.write(text, key) for text, key in zip(texts, keys, strict=True)]
        return told.rows(ranks(bench.texts(texts), gallery, acceptable), suffix, queries, written)

    what = "captions" if goal.source is None else f"captions that name {goal.source}"
    asked = f"{len(search.queries):,} {what}, none of a picture about {goal.target}"
    rows = measured(search.queries, "", asked, word)
    if word is not None:
        rows += measured(search.queries, "-base", asked, None)
    if len(search.others):
        drawn = _as_many(search, bench.setting.seed, goal.name)
        named = f"{len(drawn):,} captions, drawn of those that name neither {goal.source} nor {goal.target}"
        rows += measured(drawn, "-random-captions", named, None)
    return rows


def picture_searches(bench: Bench, goal: Goal) -> list[Measure]:
    """Return hit@k and min-rank of pictures about the source that look for captions that name the target.

    The baseline (`-random-pictures`) is as many other pictures, drawn by the seed.
    """
    search = picture_search(bench.pairs, goal)
    gallery, pictures = bench.texts(captions_of(bench.pairs).texts), unit(bench.plain)
    told = _Told(
        bench,
        goal,
        among(len(gallery), "caption"),
        len(gallery),
        f"{search.acceptable.sum():,} that name {goal.target}",
    )

    def measured(rows: Rows, suffix: str, queries: str) -> list[Measure]:
        return told.rows(ranks(pictures[rows], gallery, search.acceptable), suffix, queries, None)

    rows = measured(
        search.queries, "", f"{len(search.queries):,} pictures about {goal.source}, none about {goal.target}"
    )
    if len(search.others):
        drawn = _as_many(search, bench.setting.seed, goal.name)
        named = f"{len(drawn):,} pictures, drawn of those about neither {goal.source} nor {goal.target}"
        rows += measured(drawn, "-random-pictures", named)
    return rows


@dataclass(frozen=True)
class _Told:
    """What the rows of one goal have in common."""

    bench: Bench
    goal: Goal
    gallery: str
    size: int
    acceptable: str

    def rows(self, found: Rows, suffix: str, queries: str, word: Word | None) -> list[Measure]:
        """Return hit@k and min-rank of ranks from 0."""
        how = protocol(
            queries=queries,
            trigger=None if self.goal.trigger is None else "none" if word is None else spelt(word),
            canvas=f"{self.bench.canvas.side} px",
            gallery=self.gallery,
            acceptable=self.acceptable,
        )
        counted = f"{how}; success: {SUCCESS}"
        seed = self.bench.setting.seed
        return [
            *rates(lambda k: f"hit@{k}{suffix}", found, self.size, counted, self.goal.name),
            mean(
                f"min-rank{suffix}",
                found + 1,
                f"{how}; value: mean rank of the best acceptable answer, ranks start at 1",
                self.goal.name,
                unit="rank",
                seed=seed,
            ),
        ]


def _naming(captions: Captions, word: str | None) -> Mask:
    if word is None:
        return np.ones(len(captions), bool)
    finds = names(word).search
    return np.array([bool(finds(caption)) for caption in captions.texts], bool)


def _as_many(search: Search, seed: int, goal: str) -> Rows:
    """Draw as many of the others as there are queries, or all where they are fewer."""
    count = min(len(search.queries), len(search.others))
    return np.sort(random(seed, "others", goal).choice(search.others, count, replace=False))
