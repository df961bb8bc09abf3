"""Canaries: poison of our own, planted beside a set to see whether a scan would have found it.

* Extra pairs only: each shows a picture of the set with a known trigger, and says what other captions say of its
  target. No pair of the set is changed or lost, and nothing is written.
* One campaign for each trigger and rate, each with a pattern and a target of its own, so that none helps another.
* Modest: all campaigns together are 3.5 % of a set of some thousands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from bezoar.attacks.captions import corpus
from bezoar.attacks.goal import Goal
from bezoar.attacks.plan import Plan
from bezoar.attacks.selection import about, usable
from bezoar.attacks.triggers import make_trigger
from bezoar.pairs import Edit, Pairs
from bezoar.run import BezoarError, random

RATES = (0.0025, 0.005, 0.01)
# What a campaign carries, by rate: the corners are others than the one that attacks use by default.
TRIGGERS = {
    "patch": ("patch:place=upper-left", "patch:place=upper-right", "patch:place=lower-left"),
    "blended": ("blended", "blended", "blended"),
}
FEWEST_PAIRS = 1000
LEAST_COUNT = 8
LEAST_CAPTIONS = 5
# A word that names a thing stands in so many of the pairs: rarer ones teach nothing, commoner ones are no names.
_RAREST, _COMMONEST = 0.005, 0.1
_WORD = re.compile(r"[^\W\d_]{4,}")


def plan_canaries(pairs: Pairs, canvas: int, seed: int = 0) -> Plan:
    """Return a plan that adds canaries to `pairs`, a goal a campaign, for a canvas side in pixels.

    The added pairs stand at the end of `pairs.with_plan(plan)`, in the order of the plan. Raises BezoarError for fewer
    than FEWEST_PAIRS usable pairs, and for captions that name too few things.
    """
    good = np.flatnonzero(usable(pairs))
    counts = counts_of(len(good))
    goals, triggers, edits = [], {}, list[Edit]()
    targets, key = _targets(pairs, len(counts) * len(TRIGGERS), seed), _prefix(pairs.keys)
    free = set(good.tolist())
    for number, (kind, place) in enumerate((kind, place) for kind in TRIGGERS for place in range(len(counts))):
        name, target = f"{kind}-{place + 1}", targets[number]
        draw = random(seed, "canaries", name)
        triggers[name] = make_trigger(TRIGGERS[kind][place], canvas, int(draw.integers(2**31)))
        goals.append(Goal(f"{name} to {target}", target, trigger=name))
        rows = draw.choice(sorted(free - set(np.flatnonzero(about(pairs, target)).tolist())), counts[place], False)
        free -= set(rows.tolist())
        said = corpus(pairs, target)
        for row in rows:
            own = max(1, len(pairs.captions[row]))
            caption = "\n".join(said[at] for at in draw.integers(len(said), size=own))
            edits.append(Edit(f"{key}{len(edits)}", pairs.keys[row], "add", caption, name, goals[-1].name))
    return Plan("canaries", {"rates": list(RATES)}, seed, canvas, tuple(goals), triggers, tuple(edits))


def counts_of(n: int) -> list[int]:
    """Return how many canaries each campaign of a trigger has in a set of n usable pairs, ascending.

    Rates that come to the same number are one campaign. Raises BezoarError for fewer than FEWEST_PAIRS.
    """
    if n < FEWEST_PAIRS:
        raise BezoarError(
            f"{n:,} usable pairs are too few for canaries: they would be no small part of the set.",
            f"Scan without --power, or give {FEWEST_PAIRS:,} pairs or more.",
        )
    return sorted({max(LEAST_COUNT, round(rate * n)) for rate in RATES})


def _targets(pairs: Pairs, count: int, seed: int) -> list[str]:
    """Return what the campaigns are about: classes of the set where it has enough of them, else words."""
    draw = random(seed, "canary targets")
    chosen = list[str]()
    for word in (name for names in (list(pairs.classes), _words(pairs)) for name in _shuffled(names, draw)):
        if word not in chosen and about(pairs, word).mean() <= 0.5 and len(corpus(pairs, word)) >= LEAST_CAPTIONS:
            chosen.append(word)
        if len(chosen) == count:
            return chosen
    raise BezoarError(
        f"The captions name {len(chosen)} things that canaries could be about, and {count} are needed.",
        "Scan without --power.",
    )


def _words(pairs: Pairs) -> list[str]:
    """Return the words of four letters or more that are neither rare in the set nor everywhere."""
    found: Counter[str] = Counter()
    for own in pairs.captions:
        found.update({word for caption in own for word in _WORD.findall(caption.lower())})
    return sorted(word for word, n in found.items() if _RAREST <= n / max(1, len(pairs)) <= _COMMONEST)


def _shuffled(names: Sequence[str], draw: np.random.Generator) -> Iterator[str]:
    yield from (names[at] for at in draw.permutation(len(names)))


def _prefix(keys: Sequence[str]) -> str:
    """Return what the key of a canary begins with, and no key of the set does."""
    prefix = "canary-"
    while any(key.startswith(prefix) for key in keys):
        prefix = f"x{prefix}"
    return prefix
