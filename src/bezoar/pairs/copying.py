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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.pairs.copy_shard import Changes, copy_shard
from bezoar.pairs.copy_table import copy_table
from bezoar.pairs.index import Index, Shard
from bezoar.pairs.pairs import Pairs
from bezoar.pairs.write import Sample, checked
from bezoar.run import BROKEN_DATA, BezoarError, fingerprint, random, write_bytes, write_json

VERSION = 1
COPIERS = {"tar": copy_shard, "csv": copy_table}


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
        digest.update(repr((sorted(self.changes.replaced.items()), sorted(self.changes.added.items()))).encode())
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
    changes: Mapping[str, list[tuple[str, bytes]]],
    folder: Path,
    added: Sequence[Sample] = (),
    seed: int = 0,
) -> Copied:
    """Copy all `pairs` to `folder` with new bytes for some members.

    `changes`: key to (extension, bytes); a member that the sample lacks is appended to it. The extension
    "caption" stands for whatever holds the sample's captions (.txt, .json, or the column of a CSV file).
    `added`: new samples, each put before a pair drawn by `random(seed, "insert", key)`.
    """
    if pairs.edited:
        raise ValueError("the view has a plan: pass the pairs as they lie on the disk")
    row_of = pairs.own_rows
    by_row: dict[int, Changes] = defaultdict(Changes)
    shard, row = pairs.index.column("shard"), pairs.index.column("row")
    for key, members in changes.items():
        at = row_of[pairs.position(key)]
        by_row[int(shard[at])].replaced[int(row[at])] = members
    for key, members in checked(added, set(pairs.keys)):
        at = row_of[int(random(seed, "insert", key).integers(len(row_of)))]
        by_row[int(shard[at])].added.setdefault(int(row[at]), []).append((key, members))
    kept = _over_index(pairs, np.ones(len(pairs), bool))
    return _copy(pairs.index, kept, np.zeros_like(kept), by_row, folder, None)


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
