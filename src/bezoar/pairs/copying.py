"""Copies of a set with pairs left out, changed or added. What is kept is copied byte for byte.

* Shard names, keys and order stay. Files that belong to no sample, and classes.json, go along.
* Every shard appears whole or not at all; a finished one is known by its stamp in `_bezoar/shards/`.
* What was cut off by the end of a broken shard goes nowhere: it has no end to copy.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.pairs import copy_shard, copy_table
from bezoar.pairs.copy_shard import Added, Changes, Members, holds_one_caption
from bezoar.pairs.index import Index, Shard
from bezoar.pairs.pairs import Pairs
from bezoar.pairs.placing import places
from bezoar.pairs.write import checked
from bezoar.run import BROKEN_DATA, BezoarError, fingerprint, write_bytes, write_json

VERSION = 2
COPIERS = {"tar": copy_shard.copy_shard, "csv": copy_table.copy_table}
ORIGINALS: dict[str, Callable[[Path, Sequence[int]], Mapping[int, Any]]] = {
    "tar": copy_shard.originals,
    "csv": copy_table.originals,
}


@dataclass(frozen=True)
class Addition:
    """A new pair: the sample of the pair `like` with a key of its own and `members` changed, as `rewrite` has them."""

    key: str
    like: str
    members: Members


@dataclass(frozen=True)
class Copied:
    """What a copy did, as shard names: `written` now, `reused` from before, `empty` (no row, no file)."""

    written: tuple[str, ...] = ()
    reused: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Task:
    shard: Shard
    keep: NDArray[np.bool_]
    remove: NDArray[np.bool_]
    changes: Changes = field(default_factory=Changes)

    def stamp(self, version: int, kind: str) -> str:
        digest = hashlib.blake2b(np.packbits(self.keep).tobytes(), digest_size=12)
        digest.update(np.packbits(self.remove).tobytes())
        for part in self.changes.told():
            digest.update(part if isinstance(part, bytes) else repr(part).encode())
        shard = self.shard
        return fingerprint("copy", version, kind, shard.name, shard.size, shard.modified, digest.hexdigest())


def copy_kept(pairs: Pairs, keep: NDArray[np.bool_], folder: Path, removed_folder: Path | None = None) -> Copied:
    """Copy the pairs that the mask `keep`, bool (n,), marks to `folder`, byte for byte.

    The others go to `removed_folder`, if there is one. Pairs that are not in the view go nowhere.
    Raises BezoarError: code 3 where the source has changed or the disk has no room.
    """
    mask = np.asarray(keep)
    if mask.dtype != bool or mask.shape != (len(pairs),):
        raise ValueError(f"keep must be a mask of length {len(pairs)}")
    kept = _over_index(pairs, mask)
    removed = _over_index(pairs, ~mask) & (removed_folder is not None)
    return _copy(pairs.index, kept, removed, {}, folder, removed_folder)


def rewrite(
    pairs: Pairs,
    changes: Mapping[str, Members],
    folder: Path,
    added: Sequence[Addition] = (),
    seed: int = 0,
) -> Copied:
    """Copy all `pairs` to `folder` with new bytes for some members.

    `changes`: key to (extension, bytes); a member that the sample lacks is appended to it. The extension
    "caption" stands for whatever holds the sample's captions (.txt, .json, or the column of a CSV file): it has one
    a line, and takes the white space, spacing and quotes of the text that was there.
    `added`: new samples, put where their keys sort, or anywhere in a set that is not sorted (`placing.py`).
    Raises ValueError for a new key that is there already, or that no reader would give back.
    """
    if pairs.edited:
        raise ValueError("the view has a plan: pass the pairs as they lie on the disk")
    row_of = pairs.own_rows
    by_row: dict[int, Changes] = defaultdict(Changes)
    shard, row = pairs.index.column("shard"), pairs.index.column("row")
    for key, members in changes.items():
        at = row_of[pairs.position(key)]
        by_row[int(shard[at])].replaced[int(row[at])] = members
    for number, at_row, sample in _samples(pairs, added, seed):
        by_row[number].added.setdefault(at_row, []).append(sample)
    kept = _over_index(pairs, np.ones(len(pairs), bool))
    return _copy(pairs.index, kept, np.zeros_like(kept), by_row, folder, None)


def holding_one_caption(pairs: Pairs, keys: Sequence[str]) -> list[str]:
    """Return those of `keys` whose samples have room for one caption only: a .txt, or a text in .json."""
    originals = _originals(pairs, [pairs.position(key) for key in keys])
    if pairs.index.source.kind != "tar":
        return []  # a CSV file takes a record for each
    return [key for key in keys if holds_one_caption(originals[pairs.position(key)])]


def _originals(pairs: Pairs, positions: Sequence[int]) -> dict[int, Any]:
    """Return, by position, what the file format keeps of each of these pairs."""
    index, row_of = pairs.index, pairs.own_rows
    by_shard: dict[int, dict[int, int]] = defaultdict(dict)
    for position in positions:
        at = row_of[position]
        by_shard[int(index.column("shard")[at])][int(index.column("row")[at])] = position
    return {
        rows[row]: original
        for shard, rows in by_shard.items()
        for row, original in ORIGINALS[index.source.kind](
            index.source.folder / index.shards[shard].name, list(rows)
        ).items()
    }


def _samples(pairs: Pairs, added: Sequence[Addition], seed: int) -> Iterator[tuple[int, int, Added]]:
    """Yield shard, row and sample of everything that is added, in the order in which it is inserted."""
    list(checked(((new.key, [("txt", b"")]) for new in added), set(pairs.keys)))
    like = _originals(pairs, [pairs.position(new.like) for new in added])
    shards, rows = (pairs.index.column(name)[pairs.own_rows] for name in ("shard", "row"))
    by_key = {new.key: new for new in added}
    for key, place in places(pairs.keys, shards, rows, list(by_key), seed).items() if added else ():
        new = by_key[key]
        yield place.shard, place.row, Added(key, new.like, like[pairs.position(new.like)], new.members)


def _over_index(pairs: Pairs, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if pairs.edited:
        raise ValueError("the view has a plan: pass the pairs as they lie on the disk")
    marked = np.zeros(pairs.index.table.num_rows, bool)
    marked[pairs.own_rows[mask]] = True
    return marked


def _copy(
    index: Index,
    kept: NDArray[np.bool_],
    removed: NDArray[np.bool_],
    changes: Mapping[int, Changes],
    folder: Path,
    removed_folder: Path | None,
) -> Copied:
    if index.source.kind not in COPIERS:
        raise BezoarError(f"{index.source.path} is no set of pairs that can be copied.", "Give shards or a CSV file.")
    _refuse_same_folder(index, folder, removed_folder)
    changed = index.changed()
    if changed:
        raise BezoarError(f"{changed[0]} has changed since it was indexed.", "Scan it again.", BROKEN_DATA)
    bounds = np.searchsorted(index.column("shard"), np.arange(len(index.shards) + 1))
    tasks = [
        _Task(shard, kept[start:end], removed[start:end], changes.get(number, Changes()))
        for number, (shard, start, end) in enumerate(zip(index.shards, bounds[:-1], bounds[1:], strict=True))
    ]
    kind = index.source.kind
    done = {task.shard.name: _finished(folder, removed_folder, task, kind) for task in tasks}
    _refuse_full_disk(index, [task for task in tasks if done[task.shard.name] is None], folder)
    names: dict[str, list[str]] = {"written": [], "reused": [], "empty": []}
    for task in tasks:
        name = task.shard.name
        record = done[name]
        state = "reused" if record else "written"
        if record is None:
            record = _run(index, task, folder, removed_folder)
        names["empty" if not record["files"]["kept"] else state].append(name)
    if index.source.classes_file.is_file():
        beside = index.source.classes_file.relative_to(index.source.folder)
        for target in filter(None, (folder, removed_folder)):
            write_bytes(target / beside, index.source.classes_file.read_bytes())
    return Copied(**{name: tuple(values) for name, values in names.items()})


def _run(index: Index, task: _Task, folder: Path, removed_folder: Path | None) -> dict[str, Any]:
    kind = index.source.kind
    source = index.source.folder / task.shard.name
    copier, name = COPIERS[kind], task.shard.name
    files = {"kept": copier(source, folder / name, task.keep, task.changes)}
    if removed_folder is not None:
        # Members of no sample stay with the set: the quarantine holds samples only.
        files["removed"] = copier(source, removed_folder / name, task.remove, Changes(strays=False))
    record = {"stamp": task.stamp(VERSION, kind), "files": files}
    write_json(_state_file(folder, task), record)
    return record


def _state_file(folder: Path, task: _Task) -> Path:
    return folder / "_bezoar" / "shards" / f"{task.shard.name}.json"


def _finished(folder: Path, removed_folder: Path | None, task: _Task, kind: str) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(_state_file(folder, task).read_text(encoding="utf-8"))
        right = record["stamp"] == task.stamp(VERSION, kind)
        for what, target in (("kept", folder), ("removed", removed_folder)):
            if target is not None:
                right &= all((target / name).stat().st_size == size for name, size in record["files"][what].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return record if right else None


def _refuse_same_folder(index: Index, folder: Path, removed_folder: Path | None) -> None:
    for target in filter(None, (folder, removed_folder)):
        if target.resolve() == index.source.folder.resolve():
            raise BezoarError(f"{target} is the folder of the set itself.", "Name another folder: input is kept.")
    if removed_folder is not None and removed_folder.resolve() == folder.resolve():
        raise BezoarError(f"{folder} cannot hold both what is kept and what is removed.", "Name two folders.")


def _refuse_full_disk(index: Index, tasks: list[_Task], folder: Path) -> None:
    names = {task.shard.name for task in tasks}
    needed = sum(task.shard.size for task in tasks) + sum(task.changes.size() for task in tasks)
    if index.source.kind == "csv" and names:
        needed += int(np.maximum(index.column("size"), 0).sum())
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        raise BezoarError(
            f"No room in {folder}: {needed / 1e9:,.2f} GB are needed, {free / 1e9:,.2f} GB are free.",
            "Free space or name a folder on another disk.",
            BROKEN_DATA,
        )
