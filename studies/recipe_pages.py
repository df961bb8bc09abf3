"""Write what stands between the marks of docs/recipes: constants from the recipes, figures from the grid of defences.

    python -m studies.recipe_pages [--check]

A page of a recipe holds the marks `<!-- constants -->` and `<!-- figures -->`, cleanclip.md `<!-- curve -->` besides;
adaptation.md `<!-- adaptation -->`; the index `<!-- recipes -->`, `<!-- targets -->`, `<!-- trainings -->`,
`<!-- repairs -->`, `<!-- scale -->` and `<!-- machines -->`. Each is closed by `<!-- end -->`. What was seen in the
figures is written by hand where `<!-- seen -->` stands. `--check` writes nothing and fails where a page is stale.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bezoar.run import write_bytes
from studies.attack_pages import between
from studies.attack_tables import NOT_YET
from studies.defences_results import read_rows
from studies.pages import markdown
from studies.recipe_constants import constants_tables, recipes_table, scale_table
from studies.recipe_curves import adaptation_table, curve_table
from studies.recipe_figures import Figures, Rows
from studies.recipe_tables import recipe_tables, repairs_table, trainings_table
from studies.recipe_targets import targets_table

PAGES = Path("docs/recipes")


def main() -> None:
    """Fill every page from the published figures, or say which ones are stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is stale")
    asked = parser.parse_args()
    made = filled(PAGES, read_rows())
    stale = [page for page, text in made.items() if page.read_text(encoding="utf-8") != text]
    for page in stale:
        print(page)
        if not asked.check:
            write_bytes(page, made[page].encode())
    if asked.check and stale:
        raise SystemExit(f"{len(stale)} stale: run python -m studies.recipe_pages")


def filled(folder: Path, rows: Rows) -> dict[Path, str]:
    """Return the text of each page in `folder` with its marks filled."""
    figures = Figures(rows)
    return {page: _filled(page, figures) for page in sorted(folder.glob("*.md"))}


def _filled(page: Path, figures: Figures) -> str:
    text = page.read_text(encoding="utf-8")
    for mark, make in makers(page.stem, figures).items():
        text = between(text, mark, make)
    return text


def makers(page: str, figures: Figures) -> dict[str, Callable[[], str]]:
    """Return, by mark, what makes the text for the page of a name."""
    return {
        "constants": partial(constants_tables, page),
        "figures": partial(recipe_tables, page, figures),
        "curve": partial(curve_table, figures),
        "adaptation": partial(adaptation_table, figures),
        "recipes": recipes_table,
        "targets": partial(targets_table, figures),
        "trainings": partial(trainings_table, figures),
        "repairs": partial(repairs_table, figures),
        "scale": scale_table,
        "machines": partial(machines, figures),
    }


def machines(figures: Figures) -> str:
    """Return which machine measured how many cells of which seeds, and the time of its processors."""
    lines: list[tuple[str, ...]] = []
    for machine in sorted({row["machine"] for row in figures.rows}):
        own = [row for row in figures.rows if row["machine"] == machine]
        seconds = {row["cell"]: row["cpu_seconds"] or 0.0 for row in own}
        seeds = ", ".join(str(seed) for seed in sorted({row["seed"] for row in own}))
        lines.append((machine, f"{len(seconds):,}", seeds, f"{sum(seconds.values()) / 3600:.1f} h"))
    head = ("machine", "cells", "seeds", "processor time of training and repair")
    return markdown(head, lines) if lines else f"{NOT_YET.capitalize()}.\n"


if __name__ == "__main__":
    main()
