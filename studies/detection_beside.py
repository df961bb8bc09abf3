"""Where the figures of the questions beside the grid are kept: a small Parquet file a question, a row a figure.

`views`: accuracy against the cost of views. `people`: human judgement. `rates`: rates that small data cannot reach.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from studies.detection_results import read_rows
from studies.kept import FIRST_PUBLISHED_SEED, alone, machine, schema, write_rows
from studies.recipe_figures import Rows

PUBLISHED = Path("docs/studies")
TRIALS = Path("runs/detection")
_PLACE = ("cell", "set", "attack", "measure", "machine")
SCHEMAS = {
    "views": schema(_PLACE, ("value", "share", "passes"), ("poisons", "seed", "views", "n")),
    "people": schema(
        (*_PLACE, "annotations", "captions", "score"), ("value", "low", "high"), ("seed", "n", "pictures")
    ),
    "rates": schema((*_PLACE, "vectors", "detector"), ("value", "rate"), ("seed", "pairs", "planted", "n")),
}


def file_of(question: str, seed: int) -> Path:
    """Return the file that a seed's rows go to; what is below 100 is for choosing and stays out of docs."""
    return (PUBLISHED if seed >= FIRST_PUBLISHED_SEED else TRIALS) / f"{question}.parquet"


def answered(question: str, seed: int) -> set[str]:
    """Return the cells that have been measured."""
    return {row["cell"] for row in read_rows(file_of(question, seed))}


def keep_answer(question: str, same: Mapping[str, Any], rows: Collection[Mapping[str, Any]]) -> None:
    """Put rows in place of those that the cell had; `same` is what all of them share, `cell` and `seed` among it."""
    path = file_of(question, same["seed"])
    told = {"machine": machine()}
    with alone(TRIALS):
        kept = [row for row in read_rows(path) if row["cell"] != same["cell"]]
        kept += [{**same, **told, **row} for row in rows]
        write_rows(kept, path, SCHEMAS[question], lambda row: row["cell"])


def read_answers(folder: Path = PUBLISHED) -> dict[str, Rows]:
    """Return the published rows of every question."""
    return {question: read_rows(folder / f"{question}.parquet") for question in SCHEMAS}
