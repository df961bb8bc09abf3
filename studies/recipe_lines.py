"""Which lines and columns the tables of the recipes have, and how they begin.

* Those of the grid's own table in its order; what else has rows follows by name.
"""

from __future__ import annotations

from collections.abc import Iterable

from bezoar.training.recipes import RECIPES
from studies.attack_tables import SET_NAMES
from studies.defences_table import ATTACKS, REPAIRS, TRAININGS
from studies.recipe_figures import ADAPTED, CONTROL, PLAIN, UNTREATED, Figures

SECOND_VICTIM = "clip-ssl"
VICTIMS = {PLAIN: "plain CLIP", SECOND_VICTIM: "CLIP with self-supervision (`clip-ssl`)"}
KINDS = {
    "training": (tuple(one.name for one in TRAININGS), CONTROL),
    "repair": (tuple(one.name for one in REPAIRS), UNTREATED),
}
CONTROLS = (PLAIN, CONTROL, UNTREATED)
# By recipe: the page that it stands on.
PAGE_OF = {name: name for name in RECIPES} | {CONTROL: PLAIN, SECOND_VICTIM: PLAIN, "clean-finetune": "cleanclip"}
PAGE_OF |= {"filter-augmented": "filter-then-train"}


def recipe_of(defence: str) -> str:
    """Return the recipe that a defence of the grid is one form of; empty where there is none of that name."""
    name = defence.removeprefix(ADAPTED)
    found = [recipe for recipe in RECIPES if name == recipe or name.startswith(f"{recipe}-")]
    return max(found, key=len, default="")


def sets(figures: Figures) -> list[str]:
    """Return the sets of the grid and further ones."""
    return _with_others(ATTACKS, (place.set for place in figures.places()))


def attacks(figures: Figures, name: str, victim: str = PLAIN) -> list[str]:
    """Return the attacks on a set: those of the grid, of a second victim those that were measured, and badnets."""
    planned = ATTACKS.get(name, ()) if victim == PLAIN else ATTACKS.get(name, ())[:1]
    return _with_others(planned, (one.attack for one in figures.places() if (one.set, one.victim) == (name, victim)))


def defences(figures: Figures, kind: str) -> list[str]:
    """Return the names of all defences of a kind."""
    return _with_others(KINDS[kind][0], (row["defence"] for row in figures.rows if row["kind"] == kind))


def _with_others(planned: Iterable[str], found: Iterable[str]) -> list[str]:
    known = list(planned)
    return [*known, *sorted(set(found) - set(known))]


def settings(figures: Figures) -> dict[str, str]:
    """Return what departs from each recipe's defaults, in words."""
    planned = {one.name: one.setting for one in (*TRAININGS, *REPAIRS)}
    return planned | {row["defence"]: row["setting"] for row in figures.rows if row["setting"]}


def label(figures: Figures, defence: str, page: str = "") -> str:
    """Return a defence as its line begins: linked, but on its own page, with its setting."""
    recipe, setting = recipe_of(defence), settings(figures).get(defence, "")
    where = PAGE_OF.get(recipe, "")
    name = f"[{defence}]({where}.md)" if where and where != page else defence
    return f"{name} ({setting})" if setting else name


def victims(figures: Figures, name: str) -> list[str]:
    """Return what the repaired models of a set were trained with."""
    planned = VICTIMS if name == "generated" else (PLAIN,)
    return _with_others(planned, (place.victim for place in figures.places() if place.set == name))


def heading(name: str, kind: str, victim: str) -> str:
    """Return what a table is about."""
    of = "" if kind == "training" else f", repairs of {VICTIMS.get(victim, victim)}"
    return f"**{SET_NAMES.get(name, name)}**{of}"
