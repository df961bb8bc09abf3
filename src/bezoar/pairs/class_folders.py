"""Class folders: a folder a class with picture files in it, as evaluation sets often lie.

* The class names are the folders', or those of a classes.json beside them: a name a folder, in their order.
* The pairs come in turns of the classes, so that the first so many are of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bezoar.pairs.folder import picture_names
from bezoar.pairs.index import Source, open_index
from bezoar.pairs.opening import open_pairs
from bezoar.pairs.pairs import Pairs
from bezoar.run import BezoarError


def open_labelled(path: str | Path | Pairs, prompts: Sequence[str], limit: int | None = None) -> Pairs:
    """Open pictures with labels and class names: what `open_pairs` takes, or class folders.

    `prompts` caption the pictures that have no caption. Raises BezoarError for pairs without labels or classes.
    """
    if isinstance(path, Pairs) or not class_folders(Path(path)):
        pairs = open_pairs(path, prompts, limit)
    else:
        pairs = open_pairs(read_class_folders(Path(path), prompts), limit=limit)
    if not has_labels(pairs):
        raise BezoarError(
            f"{pairs.path} has no labels, or no classes.json with their names.",
            "Name labelled shards or class folders; captions go to --pairs.",
        )
    return pairs


def has_labels(pairs: Pairs) -> bool:
    """Say whether some pair has a label with a name."""
    return bool(((pairs.labels >= 0) & (pairs.labels < len(pairs.classes))).any())


def class_folders(path: Path) -> list[str]:
    """Return the names of the class folders in `path`, sorted; none where shards or a CSV file lie there."""
    if not path.is_dir() or any(item.suffix.lower() in (".tar", ".csv") for item in path.iterdir()):
        return []
    folders = (item for item in path.iterdir() if item.is_dir() and item.name[0] not in "_.")
    return sorted(folder.name for folder in folders if picture_names(folder))


def read_class_folders(path: Path, prompts: Sequence[str]) -> Pairs:
    """Return the pictures of all class folders in `path` as labelled pairs, in turns of the classes."""
    folder = path.expanduser().absolute()
    index = open_index(Source(folder, folder, "folders", tuple(class_folders(folder)), tuple(prompts)))
    return Pairs.of(index).select(np.lexsort((index.column("label"), index.column("row"))))
