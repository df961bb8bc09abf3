"""Write what stands between the marks of docs/detection.md: the figures of the grid of detection.

    python -m studies.detection_pages [--check]

The page holds the marks `<!-- targets -->`, `<!-- default -->`, `<!-- detectors -->`, `<!-- clean -->`,
`<!-- independent -->`, `<!-- released -->`, `<!-- surface -->`, `<!-- loop -->`, `<!-- views -->`, `<!-- people -->`,
`<!-- rates -->`, `<!-- all -->` and `<!-- machines -->`, each closed by `<!-- end -->`. What was seen in the figures is
written by hand where `<!-- seen -->` stands. `--check` writes nothing and fails where the page is stale.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bezoar.run import write_bytes
from studies.attack_pages import between
from studies.detection_beside import read_answers
from studies.detection_beside_tables import people_table, rates_table, views_table
from studies.detection_figures import Figures
from studies.detection_results import read_rows
from studies.detection_tables import (
    all_table,
    clean_table,
    default_table,
    detectors_table,
    independent_table,
    loop_table,
    machines_table,
    released_table,
    surface_table,
)
from studies.detection_targets import targets_table
from studies.recipe_figures import Rows

PAGE = Path("docs/detection.md")


def main() -> None:
    """Fill the page from the published figures, or say that it is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is stale")
    asked = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    made = filled(text, read_rows(), read_answers())
    if made == text:
        return
    if asked.check:
        raise SystemExit(f"{PAGE} is stale: run python -m studies.detection_pages")
    write_bytes(PAGE, made.encode())
    print(PAGE)


def filled(text: str, rows: Rows, answers: Mapping[str, Rows] | None = None) -> str:
    """Return the text of the page with its marks filled: rows of the grid, and those of each question beside it."""
    for mark, make in makers(Figures(rows), answers).items():
        text = between(text, mark, make)
    return text


def makers(figures: Figures, answers: Mapping[str, Rows] | None = None) -> dict[str, Callable[[], str]]:
    """Return, by mark, what makes the text."""
    beside = answers or {}
    tables = {
        "targets": targets_table,
        "default": default_table,
        "detectors": detectors_table,
        "clean": clean_table,
        "independent": independent_table,
        "released": released_table,
        "surface": surface_table,
        "loop": loop_table,
        "all": all_table,
        "machines": machines_table,
    }
    return {
        **{mark: partial(make, figures) for mark, make in tables.items()},
        "views": partial(views_table, figures, beside.get("views", [])),
        "people": partial(people_table, beside.get("people", [])),
        "rates": partial(rates_table, beside.get("rates", [])),
    }


if __name__ == "__main__":
    main()
