"""All randomness comes from here: keyed by a seed and names, never by global state or order of work."""

from __future__ import annotations

import hashlib

import numpy as np


def random(seed: int, *names: str | int) -> np.random.Generator:
    """Return a generator that depends only on `seed` and `names` (a purpose, a pair's key, an epoch).

    The same arguments give the same stream in any process, in any order, with any number of workers.
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    key = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))
