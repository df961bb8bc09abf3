"""The index of a set: an Arrow table with one row a pair, made once, kept in the cache, memory-mapped.

* Its name is a fingerprint of the source: paths, sizes and times of shards, prompts, version of this code.
* A cache file that is missing, damaged or of another source is made again without a word.
* Nothing in it is decoded: a row says where the picture lies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bezoar.pairs import reasons
from bezoar.pairs.folder import names_of, read_folder
from bezoar.pairs.prompts import prompt
from bezoar.pairs.row import Row
from bezoar.pairs.table import read_table
from bezoar.pairs.webdataset import read_shard
from bezoar.run import BROKEN_DATA, BezoarError, cache_folder, fingerprint, writing

VERSION = 2
SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("captions", pa.list_(pa.string()), nullable=False),
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("extension", pa.string(), nullable=False),
        pa.field("label", pa.int32()),
        pa.field("reason", pa.string()),
        pa.field("file", pa.string()),
        pa.field("modified", pa.int64()),
    ]
)
READERS: dict[str, Callable[[Path], tuple[list[Row], str | None]]] = {
    "tar": read_shard,
    "csv": read_table,
    "folders": read_folder,
}


@dataclass(frozen=True)
class Shard:
    """One file of the set as it was when the index was made; `name` is its path below the source's folder."""

    name: str
    size: int
    modified: int
    fault: str | None = None


@dataclass(frozen=True)
class Source:
    """What an index is made of: files of one kind below one folder, and the prompts for labels."""

    path: Path
    folder: Path
    kind: str
    names: tuple[str, ...]
    prompts: tuple[str, ...] = ()

    def stamps(self) -> list[tuple[str, int, int]]:
        """Return name, size and mtime (ns) of every file that decides what the index holds."""
        files = {name: self.folder / name for name in self.names}
        if self.classes_file.is_file():
            files["classes.json"] = self.classes_file
        status = [(name, path.stat()) for name, path in files.items()]
        return [(name, one.st_size, one.st_mtime_ns) for name, one in status]

    @property
    def classes_file(self) -> Path:
        """Where the class names lie, if there are any: beside the first shard."""
        return (self.folder / self.names[0]).parent / "classes.json"

    @property
    def of_files(self) -> bool:
        """Whether each picture is a file of its own, and not a member of a shard."""
        return self.kind != "tar"


@dataclass(frozen=True)
class Index:
    """The table and what stands beside it. Pickled as the way to its file, never as the table."""

    source: Source
    table: pa.Table
    shards: tuple[Shard, ...]
    classes: tuple[str, ...]
    content: str
    numbers: dict[str, NDArray[np.int64]] = field(default_factory=dict, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.source, self.content)

    def column(self, name: str) -> NDArray[np.int64]:
        """Return a column of numbers as int64, -1 where there is none."""
        if name not in self.numbers:
            filled = pc.fill_null(self.table[name], -1)
            self.numbers[name] = filled.to_numpy().astype(np.int64, copy=False)
        return self.numbers[name]

    @cached_property
    def positions(self) -> dict[str, int]:
        """Return the row of every key; of a duplicate key the first."""
        keys = self.table["key"].to_pylist()
        return dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))

    def changed(self) -> list[str]:
        """Return the names of the shards (and picture files) that are not what they were."""
        now = [_stamp(self.source.folder / shard.name) for shard in self.shards]
        pairs = zip(self.shards, now, strict=True)
        changed = [shard.name for shard, stamp in pairs if stamp != (shard.size, shard.modified)]
        return changed + self.changed_pictures()

    def changed_pictures(self) -> list[str]:
        """Return the picture files of a set without archives that are not what they were."""
        if not self.source.of_files:
            return []
        table = self.table.select(["file", "size", "modified", "reason"]).filter(pc.is_valid(self.table["file"]))
        skipped = (reasons.UNSAFE_NAME, reasons.IRREGULAR)
        return [
            row["file"]
            for row in table.to_pylist()
            if row["file"]
            and row["reason"] not in skipped
            and _stamp(self.source.folder / row["file"]) != (row["size"], row["modified"])
        ]


def open_index(source: Source) -> Index:
    """Return the index of `source`, from the cache where it is there and right, else made now."""
    name = fingerprint("index", VERSION, str(source.folder), source.kind, source.stamps(), source.prompts)
    file = cache_folder("index") / f"{name}.arrow"
    index = _load(source, file, name)
    if index is None or index.changed_pictures():
        _build(source, file, name)
        index = _load(source, file, name)
    if index is None:
        raise BezoarError(f"{file} was written but cannot be read.", "Set BEZOAR_CACHE to another folder.")
    return index


def _again(source: Source, content: str) -> Index:
    index = open_index(source)
    if index.content != content:
        raise BezoarError(f"{source.path} has changed since it was opened.", "Open it again.", BROKEN_DATA)
    return index


def _stamp(path: Path) -> tuple[int, int | None]:
    try:
        status = path.stat()
    except OSError:
        return -1, None
    return status.st_size, status.st_mtime_ns


def _load(source: Source, file: Path, name: str) -> Index | None:
    try:
        table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
        table.validate(full=True)
        about = json.loads(table.schema.metadata[b"bezoar"])
        if about["fingerprint"] != name or table.schema.remove_metadata() != SCHEMA:
            return None
        shards = tuple(Shard(**shard) for shard in about["shards"])
        return Index(source, table, shards, tuple(about["classes"]), about["content"])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None


def _build(source: Source, file: Path, name: str) -> None:
    classes = _read_classes(source.classes_file)
    if source.kind == "folders":
        classes = names_of(source.names, classes, source.path)
    shards, batches = [], []
    for number, shard in enumerate(source.names):
        path = source.folder / shard
        status = path.stat()
        rows, fault = READERS[source.kind](path)
        for row in rows:
            row.label = number if source.kind == "folders" else row.label
            _caption_of_class(row, source.prompts, classes)
        shards.append(Shard(shard, status.st_size, status.st_mtime_ns, fault))
        batches.append(_batch(number, rows))
    table = _mark_duplicates(pa.Table.from_batches(batches, SCHEMA).combine_chunks())
    digest = hashlib.blake2b(digest_size=12)
    for column in ("size", "modified", "file"):
        digest.update(json.dumps(table[column].to_pylist()).encode() if source.of_files else b"")
    stamps = [[s.name, s.size, s.modified] for s in shards]
    about = {
        "fingerprint": name,
        "shards": [asdict(shard) for shard in shards],
        "classes": classes,
        "content": fingerprint(VERSION, stamps, source.prompts, classes, digest.hexdigest()),
    }
    table = table.replace_schema_metadata({"bezoar": json.dumps(about)})
    with writing(file) as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


def _batch(shard: int, rows: list[Row]) -> pa.RecordBatch:
    names = [name for name in SCHEMA.names if name != "shard"]
    columns = {name: [getattr(row, name) for row in rows] for name in names} | {"shard": [shard] * len(rows)}
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def _caption_of_class(row: Row, prompts: tuple[str, ...], classes: list[str]) -> None:
    if row.captions or row.label is None or row.reason is not None:
        return
    if not prompts:
        row.reason = reasons.NO_CAPTION
    elif row.label >= len(classes):
        row.reason = reasons.NO_CLASS_NAME
    else:
        row.captions = [prompt(prompts, row.key, classes[row.label])]


def _mark_duplicates(table: pa.Table) -> pa.Table:
    codes = pc.dictionary_encode(table["key"]).combine_chunks()
    codes = codes.indices if isinstance(codes, pa.DictionaryArray) else codes.chunk(0).indices
    numbers = codes.to_numpy()
    first = np.zeros(len(numbers), bool)
    first[np.unique(numbers, return_index=True)[1]] = True
    if first.all():
        return table
    reason = pc.if_else(pa.array(~first), reasons.DUPLICATE, table["reason"])
    return table.set_column(table.schema.get_field_index("reason"), SCHEMA.field("reason"), reason)


def _read_classes(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BezoarError(f"{path} is not a JSON list of class names.", "Repair or remove it.", BROKEN_DATA)
    return names
