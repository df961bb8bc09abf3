"""Finding out what a path means: a folder of shards, a pattern, one shard, a CSV file."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow.compute as pc

from bezoar.pairs import reasons
from bezoar.pairs.index import Index, Source, open_index
from bezoar.pairs.pairs import Pairs
from bezoar.pairs.prompts import checked, read_prompts
from bezoar.run import BROKEN_DATA, BezoarError


def open_pairs(path: str | Path | Pairs, prompts: Sequence[str] | str | None = None, limit: int | None = None) -> Pairs:
    """Open a set of image-text pairs; nothing is decoded, and the first time an index is made.

    `path`: a folder of .tar shards or with one .csv file, a glob pattern, one .tar or .csv file.
    Pairs that are open already are taken as they are. `limit` keeps the first so many.
    `prompts`: templates that caption a pair which has a class label only; or what `read_prompts` takes.
    Raises BezoarError with code 2 where the path holds no pairs, with code 3 where none of them can be used.
    """
    pairs = path if isinstance(path, Pairs) else _open(path, prompts)
    return pairs if limit is None or limit >= len(pairs) else pairs.select(range(limit))


def _open(path: str | Path, prompts: Sequence[str] | str | None) -> Pairs:
    templates = read_prompts(prompts) if isinstance(prompts, str) else checked(prompts) if prompts else ()
    index = open_index(_find(Path(path), templates))
    _refuse_unusable(index)
    return Pairs.of(index)


def _find(path: Path, prompts: tuple[str, ...]) -> Source:
    path = path.expanduser().absolute()
    if path.is_dir():
        files = _visible(path.glob("*.tar")) or _visible(path.glob("*.csv"))
        if not files:
            raise BezoarError(f"No pairs in {path}: no .tar and no .csv.", "Name the folder that holds the shards.")
    elif path.exists():
        files = [path]
    else:
        files = _visible(Path(name) for name in glob.glob(str(path)))  # noqa: PTH207  # the pattern is absolute
        if not files:
            raise BezoarError(f"{path} does not exist.", "Name a folder of shards, a .tar or a .csv file.")
    return _source(path, files, prompts)


def _source(path: Path, files: list[Path], prompts: tuple[str, ...]) -> Source:
    kinds = {file.suffix.lower() for file in files}
    if kinds == {".csv"} and len(files) > 1:
        raise BezoarError(f"{path} holds {len(files)} .csv files.", f"Name one of them, such as {files[0].name}.")
    if kinds not in ({".tar"}, {".csv"}):
        other = next(file for file in files if file.suffix.lower() not in (".tar", ".csv") or len(kinds) > 1)
        raise BezoarError(f"{other} is not a set that bezoar reads.", "Name .tar shards or one .csv file.")
    folder = Path(os.path.commonpath([file.parent for file in files]))
    names = tuple(file.relative_to(folder).as_posix() for file in files)
    return Source(path, folder, kinds.pop()[1:], names, prompts)


def _visible(files: Iterable[Path]) -> list[Path]:
    return sorted(file for file in files if file.is_file() and file.name[0] not in "_.")


def _refuse_unusable(index: Index) -> None:
    usable = index.table["reason"].null_count
    if usable:
        return
    path, shards = index.source.path, index.shards
    if not index.table.num_rows:
        fault = next((f" ({shard.name}: {shard.fault})" for shard in shards if shard.fault), "")
        raise BezoarError(f"Nothing in {path} can be read{fault}.", "Check how it was copied.", BROKEN_DATA)
    labelled = (index.column("label") >= 0).any()
    counts = pc.value_counts(index.table["reason"]).to_pylist()
    most = max(counts, key=lambda count: count["counts"])
    if labelled and most["values"] == reasons.NO_CAPTION:
        raise BezoarError(f"The pairs in {path} have labels but no captions.", "Pass --prompts default.")
    raise BezoarError(
        f"No usable pair in {path}: {most['counts']:,} of {index.table.num_rows:,} have: {most['values']}.",
        "Check how it was made.",
        BROKEN_DATA,
    )
