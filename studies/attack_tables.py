"""Tables of the attacks from the rows of the grid: one attack's cells, the summary of all, Yang's two towers.

* A row counts for a cell if set, attack and specification are the cell's: figures of an older grid are not shown.
* What is not there is said to be not measured yet; a measure that no row has makes no column.
* "never poisoned" is the model of the same seed that was trained on the clean set, asked the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bezoar.evaluation.intervals import wilson
from studies.cells import CELLS, SETS, Cell
from studies.pages import markdown

Rows = Sequence[dict[str, Any]]
SET_NAMES = {"generated": "generated pairs", "cifar10": "CIFAR-10", "flickr8k": "Flickr8k"}
TOWERS = {"both": "both", "image": "image only", "text": "text only"}
NOT_YET = "not measured yet"
NOTHING = "–"


@dataclass(frozen=True)
class Column:
    """A measure under the first of its names that a cell has, of the poisoned model or of the one beside it."""

    title: str
    measures: tuple[str, ...]
    beside: bool = False


@dataclass(frozen=True)
class Figure:
    """A value, its n, and its 95 % interval where it has one. `share`: a rate, not a mean rank or a z-score."""

    value: float
    n: int
    interval: tuple[float, float] | None
    share: bool

    def told(self) -> str:
        """Return "91.2 % [88.1, 93.6]", or "2.19 [1.80, 2.64]"."""
        if self.interval is None:
            return self.short(self.value, " %")
        return f"{self.short(self.value, ' %')} [{', '.join(self.short(end) for end in self.interval)}]"

    def short(self, value: float, unit: str = "") -> str:
        """Return a value of this figure's kind as text."""
        return f"{100 * value:.1f}{unit}" if self.share else f"{value:.2f}"


def both(title: str, *measures: str) -> tuple[Column, Column]:
    """Return the column of a measure and that of the never-poisoned model."""
    return Column(title, measures), Column("never poisoned", measures, beside=True)


ACCURACY = both("accuracy", "zero-shot-top1")
RECALL = both("R@10 of pictures", "r@10-image-to-text")
# By what a cell was measured first: the columns of its table. The name is the measure of the summary.
FAMILIES: dict[str, tuple[Column, ...]] = {
    "asr": (
        *both("ASR", "asr"),
        Column("without trigger", ("asr-base",)),
        Column("taken for its own class", ("asr-true-class",)),
        *both("z-score", "z-score-sd"),
    ),
    "psr": (
        *both("PSR", "psr"),
        Column("among the first 5", ("psr@5",)),
        Column("taken for its own class", ("psr-true-class",)),
    ),
    "hit@10": (
        Column("Hit@1", ("hit@1",)),
        *both("Hit@10", "hit@10"),
        Column("Hit@10 of other queries", ("hit@10-random-captions", "hit@10-random-pictures", "hit@10-base")),
        *both("MinRank", "min-rank"),
    ),
}
TITLES = {"asr": "ASR", "psr": "PSR", "hit@10": "Hit@10"}


def preset_of(cell: Cell) -> str:
    """Return the attack of the table that a cell plants; empty for the never-poisoned model."""
    return (cell.spec or "").partition(":")[0]


def rows_of(cell: Cell, rows: Rows) -> Rows:
    """Return the rows of all seeds of a cell."""
    return [row for row in rows if all(row[name] == getattr(cell, name) for name in ("set", "attack", "spec"))]


def family(own: Rows) -> str:
    """Return the measure that a cell is judged by, empty where it has none of them."""
    measured = {row["measure"] for row in own}
    return next((name for name in FAMILIES if name in measured), "")


def usefulness(own: Rows) -> tuple[Column, Column]:
    """Return the columns of what the model is good for: classes where there are any, else its own captions."""
    return ACCURACY if any(row["measure"] == ACCURACY[0].measures[0] for row in own) else RECALL


def figure(own: Rows, column: Column) -> Figure | None:
    """Return the figure of a column; rows of several goals are taken together, weighted by their n."""
    value, low, high = ("beside", "beside_low", "beside_high") if column.beside else ("value", "low", "high")
    measured = {row["measure"] for row in own}
    measure = next((name for name in column.measures if name in measured), "")
    found = [row for row in own if row["measure"] == measure and row[value] is not None]
    if not found:
        return None
    share, n = not measure.startswith(("min-rank", "z-score")), sum(row["n"] for row in found)
    mean = sum(row[value] * row["n"] for row in found) / n
    if len(found) == 1:
        return Figure(mean, n, (found[0][low], found[0][high]), share)
    return Figure(mean, n, wilson(round(mean * n), n) if share else None, share)


def seeds_of(own: Rows) -> list[int]:
    """Return the seeds of the rows, ascending."""
    return sorted({row["seed"] for row in own})


# one attack


def attack_tables(preset: str, rows: Rows) -> str:
    """Return a table for every cell that plants the preset before training starts."""
    cells = [cell for cell in CELLS if preset_of(cell) == preset and cell.learn is None]
    return "\n".join(cell_table(cell, rows) for cell in cells) or f"{NOT_YET.capitalize()}.\n"


def cell_table(cell: Cell, rows: Rows) -> str:
    """Return a line a seed, and where there are several, a goal and a way that the pictures took to the model."""
    own = rows_of(cell, rows)
    if not own:
        return f"{heading(cell)}: {NOT_YET}.\n"
    lines = _lines(own)
    places = [name for name in lines[0].where if name == "seed" or len({line.where[name] for line in lines}) > 1]
    table = [[line.where[name] for line in lines] for name in places]
    titles = list(places)
    for column in (*FAMILIES.get(family(own), ()), *usefulness(own)):
        drawn = [figure(line.rows, column) for line in lines]
        if any(drawn):
            title, told = _told(column, drawn)
            titles.append(title)
            table.append(told)
    planted = f"{own[0]['planted']:,} of {own[0]['pairs']:,} pairs planted"
    missing = cell.seeds - len(seeds_of(own))
    left = f" {missing} of {cell.seeds} seeds: {NOT_YET}." if missing > 0 else ""
    return f"{heading(cell)}: {planted}.{left}\n\n{markdown(tuple(titles), list(zip(*table, strict=True)))}"


def heading(cell: Cell) -> str:
    """Return what was trained on what, and how long."""
    used = SETS[cell.set]
    passes = f"{cell.epochs or used.epochs} passes at {used.canvas} px"
    tuned = f", from the never-poisoned model, towers that learn: {TOWERS[cell.learn]}" if cell.learn else ""
    return f"**{SET_NAMES[cell.set]}**, `{cell.spec}`, {passes}{tuned}"


@dataclass(frozen=True)
class _Line:
    where: dict[str, str]
    rows: Rows


def _lines(own: Rows) -> list[_Line]:
    """Return the rows of every seed, way and goal; what is about no goal, such as accuracy, is on all of its lines."""
    goals = list(dict.fromkeys(row["goal"] for row in own if row["goal"] is not None)) or [None]
    ways = sorted({(row["seed"], -(row["jpeg"] or 100), row["jpeg"]) for row in own}, key=lambda way: way[:2])
    lines = []
    for seed, _, jpeg in ways:
        so = [row for row in own if (row["seed"], row["jpeg"]) == (seed, jpeg)]
        shown = "as they are" if jpeg is None else f"as JPEG {jpeg}"
        for goal in goals:
            chosen = [row for row in so if row["goal"] in (goal, None)]
            lines.append(_Line({"seed": str(seed), "pictures": shown, "goal": str(goal)}, chosen))
    return lines


def _told(column: Column, drawn: Sequence[Figure | None]) -> tuple[str, list[str]]:
    """Return title and texts of a column: n stands in the title where all lines share it, else with each figure."""
    counts = {one.n for one in drawn if one}
    if column.beside:  # the same pictures or captions were asked as in the column before it
        return column.title, [one.told() if one else NOTHING for one in drawn]
    if len(counts) == 1:
        return f"{column.title}, n = {min(counts):,}", [one.told() if one else NOTHING for one in drawn]
    return column.title, [f"{one.told()}, n = {one.n:,}" if one else NOTHING for one in drawn]


# all of them


def summary_table(presets: Sequence[str], rows: Rows) -> str:
    """Return a line a preset and set: the mean over the seeds."""
    head = ("attack", "set", "planted", "seeds", "measure", "n a seed", "success", "never poisoned")
    lines = []
    for preset in presets:
        link = f"[{preset}]({preset}.md)"
        cells = [cell for cell in CELLS if cell.attack == preset]
        lines += [(link, *_summary(cell, rows)) for cell in cells] or [(link, NOTHING, NOT_YET, *[NOTHING] * 7)]
    return markdown((*head, "accuracy", "of the never poisoned"), lines)


def _summary(cell: Cell, rows: Rows) -> tuple[str, ...]:
    own = [row for row in rows_of(cell, rows) if row["jpeg"] is None]
    name = SET_NAMES[cell.set]
    if not family(own):
        return (name, NOT_YET, *[NOTHING] * 7)
    success = both("", family(own))
    counts = {one.n for one in _by_seed(own, success[0])}
    return (
        name,
        f"{own[0]['planted']:,} of {own[0]['pairs']:,}",
        str(len(seeds_of(own))),
        TITLES[family(own)],
        " to ".join(f"{n:,}" for n in sorted({min(counts), max(counts)})),
        *(over_seeds(_by_seed(own, column)) for column in (*success, *usefulness(own))),
    )


def _by_seed(own: Rows, column: Column) -> list[Figure]:
    drawn = [figure([row for row in own if row["seed"] == seed], column) for seed in seeds_of(own)]
    return [one for one in drawn if one is not None]


def over_seeds(figures: Sequence[Figure]) -> str:
    """Return the mean with the smallest and the largest; of one seed the value with its interval."""
    if not figures:
        return NOTHING
    if len(figures) == 1:
        return figures[0].told()
    values, show = [one.value for one in figures], figures[0].short
    return f"{show(sum(values) / len(values), ' %')} ({show(min(values))} … {show(max(values))})"


# which tower


def modality_tables(rows: Rows) -> str:
    """Return Yang's comparison, the mean over the seeds, and below it every seed."""
    columns = tuple(Column(title, (name,)) for title, name in _MODALITY) + ACCURACY[:1]
    tuned = [cell for cell in CELLS if cell.learn is not None]
    lines = []
    for preset in dict.fromkeys(preset_of(cell) for cell in tuned):
        cells = [cell for cell in tuned if preset_of(cell) == preset]
        attack = f"[{preset}]({preset}.md)"
        for cell in cells:
            lines.append((attack, TOWERS[str(cell.learn)], *_means(rows_of(cell, rows), columns)))
        clean = next((rows_of(cell, rows) for cell in cells if rows_of(cell, rows)), [])
        beside = [Column(column.title, column.measures, beside=True) for column in columns]
        lines.append((attack, "none", *_means(clean, beside)))
    head = ("attack", "towers that learn", "seeds", *(column.title for column in columns))
    return "\n".join([markdown(head, lines), *(cell_table(cell, rows) for cell in tuned)])


_MODALITY = (("Hit@1", "hit@1"), ("Hit@5", "hit@5"), ("Hit@10", "hit@10"), ("MinRank", "min-rank"))


def _means(own: Rows, columns: Sequence[Column]) -> tuple[str, ...]:
    if not own:
        return (NOT_YET, *[NOTHING] * len(columns))
    return (str(len(seeds_of(own))), *(over_seeds(_by_seed(own, column)) for column in columns))
