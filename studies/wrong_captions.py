"""Pairs that were captioned wrongly, as web data have them: honest, but no picture shows what its caption says.

* The captions of a share of the pairs are handed round among these pairs: each has those of another, none is lost.
* Nobody planted them: they are decoys to whoever looks for poison, and count as clean.
"""

from __future__ import annotations

import bezoar
from bezoar.pairs import Edit
from bezoar.run import random


def wrong_captions(pairs: bezoar.Pairs, share: float, seed: int) -> bezoar.Plan:
    """Return a plan that serves no goal: the captions of a `share` of the pairs, at least two, go to others of them."""
    count = max(2, round(share * len(pairs)))
    rows = random(seed, "wrong captions").choice(len(pairs), count, replace=False)
    keys, captions = pairs.keys, pairs.captions
    edits = tuple(
        Edit(keys[row], keys[row], "replace", "\n".join(" ".join(one.split()) for one in captions[other]))
        for row, other in zip(rows, [*rows[1:], rows[0]], strict=True)
    )
    return bezoar.Plan("wrong-captions", {"share": share}, seed, 1, (), {}, edits)
