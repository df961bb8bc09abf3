"""Pictures decoded once: uint8 at the canvas, kept in memory up to a cap, decoded again beyond it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from bezoar.canvas import Canvas, Pixels
from bezoar.pairs.pairs import Pairs
from bezoar.pairs.picture import open_picture
from bezoar.pairs.reasons import UnreadablePair
from bezoar.run import BROKEN_DATA, BezoarError

CAP_BYTES = 4 << 30


class Decoded:
    """The pictures of `pairs` on one canvas.

    `reasons[i]` says why pair i cannot be used, or is None; a picture's own fault is known once it was asked for.
    """

    def __init__(self, pairs: Pairs, canvas: Canvas, *, cap_bytes: int = CAP_BYTES, workers: int = 2) -> None:
        self.pairs = pairs
        self.canvas = canvas
        self.reasons: list[str | None] = list(pairs.reasons)
        self._workers = workers
        shape = (len(pairs), 3, canvas.side, canvas.side)
        self._kept = np.zeros(shape, np.uint8) if np.prod(shape, dtype=np.int64) <= cap_bytes else None
        self._done = np.zeros(len(pairs), bool)

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def kept(self) -> bool:
        """Whether the pictures fit under the cap and stay in memory."""
        return self._kept is not None

    def decode_all(
        self,
        advance: Callable[[int], object] = lambda _: None,
        chunk: int = 512,
        look: Callable[[NDArray[np.int64], Pixels], object] = lambda _, __: None,
    ) -> None:
        """Decode every picture now, so that `reasons` is complete; `advance` hears how many were done.

        `look` is shown the positions and pictures of each chunk: what need not stay in memory is decoded once.
        Raises BezoarError where not one pair can be used.
        """
        for start in range(0, len(self), chunk):
            positions = np.arange(start, min(start + chunk, len(self)))
            look(positions, self.batch(positions))
            advance(len(positions))
        refuse_unusable(self.pairs, self.reasons)

    def usable(self) -> NDArray[np.int64]:
        """Return the positions of pairs with no known fault, ascending."""
        return np.flatnonzero([reason is None for reason in self.reasons])

    def batch(self, positions: NDArray[np.int64] | Sequence[int]) -> Pixels:
        """Return uint8 (B, 3, side, side); the picture of an unreadable pair is black, its reason noted."""
        wanted = np.asarray(positions, dtype=np.int64)
        if self._kept is None:
            return self._decode(wanted)
        missing = np.unique(wanted[~self._done[wanted]])
        if len(missing):
            self._kept[missing] = self._decode(missing)
            self._done[missing] = True
        return self._kept[wanted]

    def _decode(self, positions: NDArray[np.int64]) -> Pixels:
        out = np.zeros((len(positions), 3, self.canvas.side, self.canvas.side), np.uint8)

        def draw(place: int) -> None:
            position = int(positions[place])
            if self.reasons[position] is None:
                try:
                    out[place] = self.pairs.pixels(position, self.canvas)
                except UnreadablePair as fault:
                    self.reasons[position] = str(fault)

        if len(positions) < 64 or self._workers < 2:
            for place in range(len(positions)):
                draw(place)
        else:
            with ThreadPoolExecutor(self._workers) as pool:
                list(pool.map(draw, range(len(positions)), chunksize=32))
        return out


def refuse_unusable(pairs: Pairs, reasons: Sequence[str | None]) -> None:
    """Raise BezoarError where every pair has its reason not to be used."""
    if reasons and None not in reasons:
        reason, count = Counter(reasons).most_common(1)[0]
        raise BezoarError(
            f"No usable pair in {pairs.path}: {count:,} of {len(reasons):,} have: {reason}.",
            "Check how it was made.",
            BROKEN_DATA,
        )


def typical_side(pairs: Pairs, looked_at: int = 64) -> int:
    """Return the median short side, in pixels, of the first pictures that open; 0 if none does."""
    sides = []
    for position in range(min(looked_at, len(pairs))):
        try:
            sides.append(min(open_picture(pairs.read(position).image).size))
        except UnreadablePair:
            continue
    return int(np.median(sides)) if sides else 0
