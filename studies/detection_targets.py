"""The goals that were set for detection before the grid was run, and whether the figures meet them.

* Claims are about attacks that took for sure (ASR of SURE or more), by the eyes of the victim.
* Judged by the figure itself; intervals stand in the tables. What was not measured is not met, but open.
"""

from __future__ import annotations

from collections.abc import Callable

from studies.detection_figures import AUROC, DEFAULT, FIRST, PRECISION, SURE, VICTIM, Figures, Place
from studies.detection_table import CLEAN_SEEDS
from studies.detection_tables import NAMES
from studies.pages import markdown

LEAST_AUROC, LEAST_AP, LEAST_RECALL, DROPPED = 0.99, 0.95, 0.95, 0.02
MOST_CLEAN, MOST_SETS, ASKED = 0.005, 2, 0.05
_OPEN = "open: not measured yet"


def targets_table(figures: Figures) -> str:
    """Return a line for each goal: what was asked, and whether it is met."""
    lines = [(asked, judge(figures)) for asked, judge in GOALS]
    return markdown(("goal", "met?"), lines)


def _best(figures: Figures) -> str:
    sure = [place for place in FIRST if figures.took(place, SURE)]
    own = figures.mean_precision(sure, DEFAULT) if sure else None
    if own is None:
        return _OPEN
    means = {name: figures.mean_precision(sure, name) for name in figures.detectors() if name != DEFAULT}
    others = {name: mean for name, mean in means.items() if mean is not None}
    if not others:
        return _OPEN
    rival = max(others, key=lambda name: others[name])
    verdict = "met" if own > others[rival] else "missed"
    return f"{verdict}: {own:.3f} over {len(sure)} attacks, the next is {rival} with {others[rival]:.3f}"


def _found(figures: Figures) -> str:
    places = [place for place in figures.sure(VICTIM) if place.attack in ("badnets", "blended")]
    if not places:
        return _OPEN
    missed = [f"{NAMES[place.set]} {place.label}: {said}" for place in places if (said := _lacks(figures, place))]
    return f"missed: {'; '.join(missed)}" if missed else f"met on {len(places)} cells"


def _lacks(figures: Figures, place: Place) -> str:
    """Return which figures of the default are below the goal, empty for none."""
    auroc, precision = (figures.mean(place, DEFAULT, measure) for measure in (AUROC, PRECISION))
    recall = figures.rate(place, DEFAULT, "recall-at-2-percent-dropped")
    row = next(iter(figures.of(place, DEFAULT)), None)
    if auroc is None or precision is None or recall is None or row is None:
        return "not measured"
    said = [f"AUROC {auroc.value:.3f}"] if auroc.value < LEAST_AUROC else []
    said += [f"AP {precision.value:.3f}"] if precision.value < LEAST_AP else []
    # Of more poisons than may be dropped, nobody finds them all.
    if row["planted"] <= DROPPED * row["pairs"] and recall.value < LEAST_RECALL:
        said.append(f"recall {recall.value:.3f}")
    return ", ".join(said)


def _clean(figures: Figures) -> str:
    places = [place for place in figures.places() if place.poisons == 0 and figures.of(place, DEFAULT)]
    rates = {place: figures.rate(place, DEFAULT, "clean-lost-at-fdr") for place in places}
    if not places or any(one is None for one in rates.values()):
        return _OPEN
    worst = max(places, key=lambda place: rates[place].value if rates[place] else 0.0)  # type: ignore[union-attr]
    told = rates[worst]
    assert told is not None
    verdict = "met" if told.value <= MOST_CLEAN else "missed"
    return f"{verdict}: at most {told.short()}, {NAMES[worst.set]}"


def _quiet(figures: Figures) -> str:
    place = Place("generated", "never-poisoned", 0)
    rows = [row for row in figures.of(place, DEFAULT) if row["measure"] == "flagged"]
    some = sum(row["value"] > 0 for row in rows)
    if some > MOST_SETS:
        return f"missed: {some} of {len(rows)}"
    return f"met: {some} of {len(rows)}" if len(rows) >= CLEAN_SEEDS else f"open: {some} of {len(rows)} so far"


def _honest(figures: Figures) -> str:
    places = [place for place in figures.sure(VICTIM) if figures.of(place, DEFAULT)]
    rates = {place: figures.rate(place, DEFAULT, "realised-fdp") for place in places}
    told = {place: one for place, one in rates.items() if one is not None}
    if not places:
        return _OPEN
    wrong = [f"{NAMES[at.set]} {at.label}: {one.short()}" for at, one in told.items() if one.value > 2 * ASKED]
    none = f", {len(places) - len(told)} decided nothing" if len(told) < len(places) else ""
    return f"missed: {'; '.join(wrong)}{none}" if wrong else f"met on {len(told)} cells{none}"


GOALS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    (f"the best mean AP of all rows, where the ASR is {SURE} or more", _best),
    (
        f"patch and blend: AUROC {LEAST_AUROC}, AP {LEAST_AP}, recall {LEAST_RECALL} at 2 % dropped, with wrong "
        "captions in the set as well",
        _found,
    ),
    ("at most 0.5 % of a clean set flagged", _clean),
    (f"of {CLEAN_SEEDS} clean generated sets at most {MOST_SETS} flag any pair", _quiet),
    (f"realised FDP at most twice the {ASKED} asked for, or no decision", _honest),
)
