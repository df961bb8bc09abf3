"""An ordered, lazy, immutable view of pairs.

* Nothing is decoded until asked for, and no Python object is made for a pair until then.
* `select` and `with_plan` give new views; what a plan says of a pair does not depend on their order.
* Reading a pair costs one seek. A view may be pickled and used in threads and forked processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.canvas import Canvas, Pixels
from bezoar.pairs.edit import Edit, EditPlan
from bezoar.pairs.handles import read_at
from bezoar.pairs.index import Index
from bezoar.pairs.pair import Pair
from bezoar.pairs.picture import draw
from bezoar.pairs.reasons import NO_CAPTION, NO_IMAGE, UnreadablePair
from bezoar.run import BezoarError, fingerprint

__all__ = ["Pairs", "UnreadablePair"]

_Steps = tuple[tuple[EditPlan, Edit], ...]


class Pairs:
    """A view of an index. Made by `open_pairs`."""

    def __init__(
        self, index: Index, own: NDArray[np.int64], picture: NDArray[np.int64], edits: Mapping[int, _Steps]
    ) -> None:
        # own: the index row of each pair (-1 for an added one); picture: the index row of its image.
        self._index = index
        self._own = own
        self._picture = picture
        self._edits = edits

    @classmethod
    def of(cls, index: Index) -> Pairs:
        """Return the view of all rows of an index."""
        rows = np.arange(index.table.num_rows, dtype=np.int64)
        return cls(index, rows, rows, {})

    def __len__(self) -> int:
        return len(self._own)

    def __repr__(self) -> str:
        return f"Pairs({len(self):,} of {self.path})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("_index", "_own", "_picture", "_edits")}

    @property
    def path(self) -> Path:
        """The path that was opened, absolute."""
        return self._index.source.path

    @property
    def index(self) -> Index:
        """The index of the whole set."""
        return self._index

    @property
    def own_rows(self) -> NDArray[np.int64]:
        """Index row of each pair, int64 (n,); -1 for a pair that a plan adds."""
        return self._own

    @property
    def edited(self) -> bool:
        """Whether a plan changes or adds a pair of this view."""
        return bool(self._edits)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels; empty if there are none."""
        return self._index.classes

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong with whole shards: shard name to phrase."""
        return {shard.name: shard.fault for shard in self._index.shards if shard.fault}

    @cached_property
    def keys(self) -> list[str]:
        """Key of each pair."""
        keys: list[str] = self._index.table["key"].take(np.maximum(self._own, 0)).to_pylist()
        for position, steps in self._edits.items():
            if self._own[position] < 0:
                keys[position] = steps[0][1].key
        return keys

    @cached_property
    def captions(self) -> list[tuple[str, ...]]:
        """Captions of each pair, those of the plan where it has any."""
        rows = np.where(self._own < 0, self._picture, self._own)
        captions = [tuple(texts) for texts in self._index.table["captions"].take(rows).to_pylist()]
        for position, steps in self._edits.items():
            captions[position] = _edited(captions[position], steps)
        return captions

    def captions_at(self, i: int) -> tuple[str, ...]:
        """Return the captions of one pair."""
        row = self._picture[i] if self._own[i] < 0 else self._own[i]
        return _edited(tuple(self._index.table["captions"][int(row)].as_py()), self._steps(i))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Class index of each pair, int64 (n,); -1 where there is none."""
        return self._index.column("label")[np.where(self._own < 0, self._picture, self._own)]

    @cached_property
    def shards(self) -> list[str]:
        """Name of the shard of each pair; empty for an added pair."""
        names = [shard.name for shard in self._index.shards]
        numbers = self._index.column("shard")[self._own]
        return [names[number] if own >= 0 else "" for number, own in zip(numbers, self._own, strict=True)]

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Row of each pair within its shard, int64 (n,); -1 for an added pair."""
        return np.where(self._own < 0, -1, self._index.column("row")[self._own])

    @cached_property
    def extensions(self) -> list[str]:
        """How the file name of each picture ends, without the dot; empty where there is no picture."""
        names: list[str] = self._index.table["extension"].take(self._picture).to_pylist()
        return names

    @cached_property
    def reasons(self) -> list[str | None]:
        """Why each pair cannot be used, as far as the index knows; None for a good one."""
        reasons: list[str | None] = self._index.table["reason"].take(self._picture).to_pylist()
        for position, steps in self._edits.items():
            if reasons[position] == NO_CAPTION and any(edit.caption is not None for _, edit in steps):
                reasons[position] = None
        return reasons

    @cached_property
    def fingerprint(self) -> str:
        """Digest of what the view holds: state of the files, selection, order, plan. The folder may move."""
        digest = hashlib.blake2b(self._own.tobytes(), digest_size=12)
        digest.update(self._picture.tobytes())
        steps = [
            [position, plan.fingerprint, edit.key, edit.caption, edit.trigger]
            for position in sorted(self._edits)
            for plan, edit in self._edits[position]
        ]
        return fingerprint("pairs", self._index.content, digest.hexdigest(), steps)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position of every key; of a duplicate key the first."""
        return dict(zip(reversed(self.keys), range(len(self) - 1, -1, -1), strict=True))

    def position(self, key: str) -> int:
        """Return the position of a key; an unknown key is an error."""
        if key not in self.positions:
            raise BezoarError(
                f'No pair "{key}" in {self.path}.', "Open the set that the key is from, whole: --limit cuts it."
            )
        return self.positions[key]

    def changed(self) -> list[str]:
        """Return the names of the files whose size or time differ from what the index saw."""
        return self._index.changed()

    def read(self, i: int) -> Pair:
        """Return one pair with its undecoded image. Raises UnreadablePair where there is no image."""
        row = int(self._picture[i])
        label = int(self.labels[i])
        return Pair(
            self.key_at(i),
            self._image(row),
            self._index.table["extension"][row].as_py(),
            self.captions_at(i),
            label if label >= 0 else None,
        )

    def key_at(self, i: int) -> str:
        """Return the key of one pair."""
        if self._own[i] < 0:
            return self._steps(i)[0][1].key
        key: str = self._index.table["key"][int(self._own[i])].as_py()
        return key

    def pixels(self, i: int, canvas: Canvas) -> Pixels:
        """Return one image on the canvas, uint8 (3, side, side), with the plan's triggers drawn.

        Raises UnreadablePair, with a short phrase, for an image that cannot be used.
        """
        pixels = draw(self._image(int(self._picture[i])), canvas)
        for plan, edit in self._steps(i):
            if edit.trigger is not None:
                pixels = plan.draw(pixels, edit)
        return pixels

    def select(self, positions: Sequence[int] | NDArray[Any]) -> Pairs:
        """Return the view of the pairs at `positions` (integers in any order, or a mask of length n)."""
        chosen = np.asarray(positions)
        if chosen.dtype == bool and len(chosen) != len(self):
            raise ValueError(f"a mask of {len(chosen)} for {len(self)} pairs")
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        if len(chosen) and (chosen.min() < 0 or chosen.max() >= len(self)):
            raise IndexError(f"positions must lie in 0 … {len(self) - 1}")
        edits: dict[int, _Steps] = {}
        if self._edits:
            marked = np.zeros(len(self), bool)
            marked[list(self._edits)] = True
            edits = {int(new): self._edits[int(chosen[new])] for new in np.flatnonzero(marked[chosen])}
        return Pairs(self._index, self._own[chosen], self._picture[chosen], edits)

    def with_plan(self, plan: EditPlan) -> Pairs:
        """Return the view with what `plan` plants; an edit of a key that is not in the view is an error."""
        picture, edits = self._picture.copy(), dict(self._edits)
        added: list[int] = []
        taken: set[str] = set()
        for edit in plan.edits():
            base = self.position(edit.base_key)
            if edit.action == "replace":
                position = self.position(edit.key)
                picture[position] = self._picture[base]
            else:
                if edit.key in self.positions or edit.key in taken:
                    raise BezoarError(f'The plan adds "{edit.key}", which is there already.', "Plan it again.")
                taken.add(edit.key)
                position = len(self) + len(added)
                added.append(int(self._picture[base]))
            edits[position] = (*edits.get(position, ()), (plan, edit))
        own = np.concatenate([self._own, np.full(len(added), -1, np.int64)])
        return Pairs(self._index, own, np.concatenate([picture, np.array(added, np.int64)]), edits)

    def _steps(self, i: int) -> _Steps:
        return self._edits.get(i, ())

    def _image(self, row: int) -> bytes:
        index = self._index
        size = int(index.column("size")[row])
        if size < 0:
            raise UnreadablePair(index.table["reason"][row].as_py() or NO_IMAGE)
        if index.source.of_files:
            path = index.source.folder / index.table["file"][row].as_py()
            return read_at(path, (size, int(index.column("modified")[row])), 0, size)
        shard = index.shards[int(index.column("shard")[row])]
        offset = int(index.column("offset")[row])
        return read_at(index.source.folder / shard.name, (shard.size, shard.modified), offset, size)


def _edited(captions: tuple[str, ...], steps: _Steps) -> tuple[str, ...]:
    for _, edit in steps:
        if edit.caption is not None:
            captions = tuple(edit.caption.split("\n"))
    return captions
