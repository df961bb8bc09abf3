"""The pictures of one class folder: every picture file in it is a pair with a label and no caption of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bezoar.pairs.row import Row, readable
from bezoar.pairs.table import picture_row
from bezoar.pairs.webdataset import IMAGES
from bezoar.run import BezoarError

ENDINGS = (*IMAGES, "bmp", "gif")


def picture_names(folder: Path) -> list[str]:
    """Return the names of the picture files in a folder, sorted; hidden ones are passed over."""
    names = (path.name for path in folder.iterdir() if path.suffix.lower().lstrip(".") in ENDINGS)
    return sorted(name for name in names if name[0] not in "_.")


def read_folder(path: Path) -> tuple[list[Row], str | None]:
    """Return the rows of one class folder, keys as class/name; a link out of the set's folder is never opened."""
    rows = []
    for number, name in enumerate(picture_names(path)):
        row = picture_row(path.parent.resolve(), f"{path.name}/{name}", number, set())
        row.key = readable(f"{path.name}/{name}")
        rows.append(row)
    return rows, None


def names_of(folders: Sequence[str], listed: Sequence[str], path: Path) -> list[str]:
    """Return a class name for each folder: those of classes.json, else the folder's own, underscores as spaces."""
    if listed and len(listed) != len(folders):
        raise BezoarError(
            f"{path} has {len(folders):,} class folders, and its classes.json {len(listed):,} names.",
            "List a name for each folder, in the order of the folders' names.",
        )
    return list(listed) or [readable(folder).replace("_", " ") for folder in folders]
