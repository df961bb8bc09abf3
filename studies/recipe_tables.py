"""Tables of the recipes from the grid of defences: the two of the index, and those of each recipe.

* What is not there is "–"; where the attack did not take in the untreated model, every figure is "not tested".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studies.attack_tables import NOT_YET
from studies.pages import markdown
from studies.recipe_figures import (
    ACCURACY,
    BENIGN,
    CONTROL,
    NO_CONTROL,
    NOT_TESTED,
    NOTHING,
    PLAIN,
    UNTREATED,
    Figures,
    Place,
    Rate,
    cost,
    rate,
    retrieval,
    seeds_of,
    success_of,
)
from studies.recipe_lines import KINDS, PAGE_OF, attacks, defences, heading, label, recipe_of, sets, victims

# the index


def trainings_table(figures: Figures) -> str:
    """Return training × attack for each set."""
    return "\n".join(_matrix(figures, name, "training", PLAIN) for name in sets(figures))


def repairs_table(figures: Figures) -> str:
    """Return repair × attack for each set and victim."""
    parts = []
    for name in sets(figures):
        for victim in victims(figures, name):
            parts.append(_matrix(figures, name, "repair", victim))
    return "\n".join(parts)


def _matrix(figures: Figures, name: str, kind: str, victim: str) -> str:
    columns, control = attacks(figures, name, victim), KINDS[kind][1]
    lines: list[tuple[str, ...]] = []
    for defence in defences(figures, kind):
        places = [Place(name, attack, defence, victim) for attack in columns]
        cells = [_cell(figures, place, control) for place in places]
        lines.append((label(figures, defence), *cells, _mean_cost(figures, places)))
    if not any(set(line[1:]) - {NOTHING} for line in lines):
        return f"{heading(name, kind, victim)}: {NOT_YET}.\n"
    head = ("recipe", *(f"[{attack}](../attacks/{attack}.md)" for attack in columns), "cost")
    return f"{heading(name, kind, victim)}.\n\n{markdown(head, lines)}"


def _cell(figures: Figures, place: Place, control: str) -> str:
    """Return success, accuracy and what that is more or less than the control's, a line each."""
    missing = figures.why_not(place)
    if missing:
        return missing
    own = figures.of(place)
    success, accuracy = rate(own, success_of(own)), rate(own, ACCURACY)
    gap = None if place.defence == control else figures.difference(place, control)
    lines = []
    if success:
        lines = [f"**{success.short()}**", f"{success.successes:,} of {success.n:,}, {_seeds(len(success.by_seed))}"]
    if accuracy:
        lines.append(f"accuracy {100 * accuracy.value:.1f} %" + (f", {gap.short()}" if gap else ""))
    return "<br>".join(lines) or NOTHING


def _seeds(count: int) -> str:
    return f"{count} seed" + ("s" if count > 1 else "")


def _mean_cost(figures: Figures, places: Sequence[Place]) -> str:
    return cost([row for place in places for row in figures.all_of(place)])


# a recipe's own figures


@dataclass(frozen=True)
class Column:
    """A column of the table of one recipe, and what it says of a place whose figures count."""

    title: str
    told: Callable[[Figures, Place], str]


def _rate_of(measure: str, value: str = "value") -> Callable[[Figures, Place], str]:
    def told(figures: Figures, place: Place) -> str:
        return _text(rate(figures.of(place), measure, value))

    return told


def _success(suffix: str = "") -> Callable[[Figures, Place], str]:
    def told(figures: Figures, place: Place) -> str:
        own = figures.of(place)
        return _text(rate(own, success_of(own) + suffix))

    return told


def _adapted(course: str, value: str = "value") -> Callable[[Figures, Place], str]:
    def told(figures: Figures, place: Place) -> str:
        return _text(figures.adapted(place, course, value))

    return told


def _text(found: Rate | None) -> str:
    return found.told() if found else NOTHING


def _difference(control: str) -> Callable[[Figures, Place], str]:
    def told(figures: Figures, place: Place) -> str:
        gap = None if place.defence == control else figures.difference(place, control)
        return gap.told() if gap else NOTHING

    return told


COMMON = (
    Column("without trigger", _success("-base")),
    Column("accuracy through the head", _rate_of("head-top1")),
    Column("ASR through the head", _rate_of("asr-head")),
    Column("retrieval", lambda figures, place: retrieval(figures.of(place))),
    Column("worst after adaptation", _adapted(BENIGN)),
    Column("never poisoned, the same", _adapted(BENIGN, "beside")),
    Column("cost", lambda figures, place: cost(figures.of(place))),
)


def recipe_tables(page: str, figures: Figures) -> str:
    """Return the tables of a page: its recipes and their controls, for each set and victim."""
    kinds = [kind for kind in KINDS if any(PAGE_OF.get(recipe_of(name)) == page for name in defences(figures, kind))]
    parts = []
    for kind in kinds:
        controls = (PLAIN, CONTROL) if kind == "training" else (UNTREATED,)
        own = [name for name in defences(figures, kind) if PAGE_OF.get(recipe_of(name)) == page]
        for name in sets(figures):
            for victim in victims(figures, name) if kind == "repair" else (PLAIN,):
                parts.append(_details(figures, page, name, kind, victim, list(dict.fromkeys((*controls, *own)))))
    return "\n".join(parts)


def _details(figures: Figures, page: str, name: str, kind: str, victim: str, names: list[str]) -> str:
    title, control = heading(name, kind, victim), KINDS[kind][1]
    places = [Place(name, attack, defence, victim) for attack in attacks(figures, name, victim) for defence in names]
    # A form of a recipe that the grid does not hold has a line where it was run, and no other.
    places = [place for place in places if place.defence in KINDS[kind][0] or figures.all_of(place)]
    if not any(figures.all_of(place) for place in places):
        return f"{title}: {NOT_YET}.\n"
    columns = (
        Column("accuracy", _rate_of(ACCURACY)),
        Column(f"points against {control}", _difference(control)),
        Column("ASR or PSR", _success()),
        *COMMON,
    )
    lines = []
    for place in places:
        rows, missing = figures.of(place), figures.why_not(place)
        told = [missing or column.told(figures, place) for column in columns]
        lines.append([place.attack, label(figures, place.defence, page), str(len(seeds_of(rows))), *told])
    head = ["attack", "recipe", "seeds", *(column.title for column in columns)]
    # A column of which nobody has a figure is left out.
    empty = {NOTHING, NOT_TESTED, NO_CONTROL}
    shown = [at for at in range(len(head)) if {line[at] for line in lines} - empty]
    return f"{title}.\n\n" + markdown(
        tuple(head[at] for at in shown), [tuple(line[at] for at in shown) for line in lines]
    )
