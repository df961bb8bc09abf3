"""Tables of what happens along a way: a repaired model that goes on training, and fine-tuning as it is turned up."""

from __future__ import annotations

from collections.abc import Sequence

from studies.attack_tables import NOT_YET, SET_NAMES
from studies.pages import markdown
from studies.recipe_figures import (
    ACCURACY,
    ADAPTED,
    BENIGN,
    NOTHING,
    PLAIN,
    POISONS,
    UNTREATED,
    Figures,
    Place,
    Rate,
    rate,
    seeds_of,
    success_of,
)
from studies.recipe_lines import PAGE_OF, attacks, defences, heading, label, recipe_of, sets, settings, victims


def adaptation_table(figures: Figures) -> str:
    """Return the worst success of each repair after every course, beside the never-poisoned model's."""
    places = [
        Place(name, attack, defence, victim)
        for name in sets(figures)
        for victim in victims(figures, name)
        for attack in attacks(figures, name, victim)
        for defence in defences(figures, "repair")
        if figures.all_of(Place(name, attack, ADAPTED + defence, victim))
    ]
    if not places:
        return f"{NOT_YET.capitalize()}.\n"
    head = ("set", "attack", "repair", "seeds", "before", "benign pairs", *(_course_title(one) for one in POISONS))
    lines: list[tuple[str, ...]] = []
    for place in places:
        rows = figures.of(place.adapted)
        before = rate(rows, success_of(rows)) or figures.success(place)
        start = figures.why_not(place.adapted) or (before.short() if before else NOTHING)
        told = [_after(figures, place, course) for course in (BENIGN, *POISONS)]
        victim = "" if place.victim == PLAIN else f", {place.victim}"
        name = SET_NAMES.get(place.set, place.set) + victim
        seeds = str(len(seeds_of(rows)))
        lines.append((name, place.attack, label(figures, place.defence), seeds, start, *told))
    return markdown(head, lines)


def _course_title(course: str) -> str:
    return f"with {course.split('-')[1]} poisons"


def _after(figures: Figures, place: Place, course: str) -> str:
    """Return the model's worst, and in the next line the never-poisoned model's."""
    missing = figures.why_not(place.adapted)
    if missing:
        return missing
    own, beside = (figures.adapted(place, course, value) for value in ("value", "beside"))
    if own is None:
        return NOTHING
    return f"**{own.short()}**<br>never poisoned {beside.short() if beside else NOTHING}<br>n = {own.n:,}"


# the curve of fine-tuning


def curve_table(figures: Figures) -> str:
    """Return no repair, clean fine-tuning and CleanCLIP in every setting by falling accuracy, and which none beats."""
    parts = []
    for name in sets(figures):
        for victim in victims(figures, name):
            for attack in attacks(figures, name, victim):
                parts += _curve(figures, name, attack, victim)
    return "\n".join(parts) or f"{NOT_YET.capitalize()}.\n"


def _curve(figures: Figures, name: str, attack: str, victim: str) -> list[str]:
    drawn = []
    for defence in defences(figures, "repair"):
        place = Place(name, attack, defence, victim)
        accuracy, success = rate(figures.of(place), ACCURACY), figures.success(place)
        shown = defence == UNTREATED or PAGE_OF.get(recipe_of(defence)) == "cleanclip"
        if shown and accuracy and success:
            drawn.append((accuracy, success, place))
    if not drawn:
        return []
    lines: list[tuple[str, ...]] = []
    for accuracy, success, place in sorted(drawn, key=lambda point: (-point[0].value, point[1].value)):
        beaten = any(_beats(other, (accuracy, success)) for *other, _ in drawn)
        recipe = recipe_of(place.defence)
        setting = settings(figures).get(place.defence, "") or ("default" if recipe else NOTHING)
        line = (recipe or place.defence, setting, str(len(success.by_seed)), accuracy.told(), success.told())
        lines.append((*line, "" if beaten else "yes"))
    head = ("recipe", "setting", "seeds", "accuracy", "success", "none is better in both")
    return [f"{heading(name, 'repair', victim)}, {attack}.\n\n{markdown(head, lines)}"]


def _beats(other: Sequence[Rate], point: Sequence[Rate]) -> bool:
    """Say whether another point is as good in both, and better in one."""
    better = (other[0].value - point[0].value, point[1].value - other[1].value)
    return min(better) >= 0 and max(better) > 0
