"""Tables of the grid of detection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from studies.attack_tables import NOT_YET, SET_NAMES
from studies.detection_figures import (
    AUROC,
    DEFAULT,
    ENCODING,
    FIRST,
    INDEPENDENT,
    LOOP,
    PRECISION,
    SURE,
    VICTIM,
    Figures,
    Place,
    Told,
    area,
    recall,
    seconds,
    share,
    shown,
)
from studies.detection_table import LOOPS, OPEN_ATTACKS, SURFACE
from studies.pages import markdown
from studies.recipe_figures import NOT_TESTED, NOTHING

NAMES = {**SET_NAMES, "imagenette": "Imagenette"}
_ABSENT = f"{NOT_YET.capitalize()}.\n"
COLUMNS: tuple[tuple[str, Told], ...] = (
    ("AUROC", area(AUROC)),
    ("AP", area(PRECISION)),
    ("FPR at 95 % TPR", share("fpr-at-95-tpr")),
    ("at 99 %", share("fpr-at-99-tpr")),
    ("at 100 %", share("fpr-at-100-tpr")),
    ("recall, 5 % dropped", recall(5)),
    ("recall, 2 % dropped", recall(2)),
    ("recall at the decision", share("recall-at-fdr")),
    ("clean lost there", share("clean-lost-at-fdr")),
    ("realised FDP", share("realised-fdp")),
    ("seconds", seconds),
)


def default_table(figures: Figures) -> str:
    """Return what the default finds: a line for each attack, number and setting of a set."""
    return _by_set(figures, lambda place: place.encoder == VICTIM and not place.loop and place.poisons > 0, _defaults)


def _defaults(figures: Figures, places: list[Place]) -> str:
    head = ("attack, poisons", "seeds", "ASR", *(title for title, _ in COLUMNS))
    lines = []
    for place in places:
        cells = [shown(figures, place, DEFAULT, told) for _, told in COLUMNS]
        lines.append((place.label, figures.seeds(place), _asr(figures, place), *cells))
    return markdown(head, lines)


def detectors_table(figures: Figures) -> str:
    """Return every detector on the attacks that are compared, AUROC / AP, and the mean AP where the attack is sure."""
    places = [place for place in FIRST if figures.of(place, DEFAULT)]
    if not places:
        return _ABSENT
    sure = [place for place in places if figures.took(place, SURE)]
    head = ("detector", *(f"{NAMES[place.set]}: {place.attack}" for place in places), "mean AP")
    lines: list[tuple[str, ...]] = [("ASR", *(_asr(figures, place) for place in places), NOTHING)]
    means = {name: figures.mean_precision(sure, name) for name in figures.detectors()}
    best = max((mean for mean in means.values() if mean is not None), default=None)
    for name, mean in means.items():
        told = NOTHING if mean is None else f"**{mean:.3f}**" if mean == best else f"{mean:.3f}"
        cells = [shown(figures, place, name, _both) for place in places]
        lines.append((f"**{name}**" if name == DEFAULT else f"`{name}`", *cells, told))
    return f"AUROC / AP. The mean is over the {len(sure)} columns of which the ASR is {SURE} or more.\n\n" + markdown(
        head, lines
    )


def _both(figures: Figures, place: Place, detector: str) -> str:
    auroc, precision = (figures.mean(place, detector, measure) for measure in (AUROC, PRECISION))
    return f"{auroc.value:.3f} / {precision.value:.3f}" if auroc and precision else NOTHING


def all_table(figures: Figures) -> str:
    """Return every figure of every detector on the attacks that are compared, a table each."""
    parts = []
    for place in FIRST:
        if figures.of(place, DEFAULT):
            parts.append(f"**{NAMES[place.set]}**, {place.label}, ASR {_asr(figures, place)}\n\n{_all(figures, place)}")
    return "\n".join(parts) or _ABSENT


def _all(figures: Figures, place: Place) -> str:
    if not figures.took(place):
        return f"{NOT_TESTED.capitalize()}: the attack did not take.\n"
    head = ("detector", "pairs looked at", *(title for title, _ in COLUMNS))
    lines = []
    for name in figures.detectors():
        rows = figures.of(place, name)
        silent = next((row["note"] for row in rows if row["measure"] == "silent"), None)
        if silent is not None and len({row["measure"] for row in rows}) == 1:
            lines.append((f"`{name}`", silent, *(NOTHING for _ in COLUMNS)))
        elif rows:
            sample = next((row["sample"] for row in rows if row["sample"]), None)
            looked = f"{sample:,}, one seed" if sample else "all"
            lines.append((f"`{name}`", looked, *(told(figures, place, name) for _, told in COLUMNS)))
    encoding = seconds(figures, place, ENCODING)
    return markdown(head, lines) + f"\nEncoding the pictures and their views took {encoding} s.\n"


def independent_table(figures: Figures) -> str:
    """Return the AP of every detector with the victim's eyes and with those of a model that never saw the poison."""
    places = [place for place in FIRST if figures.of(replace(place, encoder=INDEPENDENT), DEFAULT)]
    if not places:
        return _ABSENT
    head = ("detector", *(f"{NAMES[place.set]}: {place.attack}" for place in places))
    lines = []
    for name in figures.detectors():
        cells = [shown(figures, place, name, _pair) for place in places]
        if set(cells) - {NOTHING, NOT_TESTED}:
            lines.append((f"**{name}**" if name == DEFAULT else f"`{name}`", *cells))
    return "AP with the victim → with an independent model.\n\n" + markdown(head, lines)


def _pair(figures: Figures, place: Place, detector: str) -> str:
    own = figures.mean(place, detector, PRECISION)
    other = figures.mean(replace(place, encoder=INDEPENDENT), detector, PRECISION)
    return f"{own.value:.3f} → {other.value:.3f}" if own and other else NOTHING


def released_table(figures: Figures) -> str:
    """Return the published look-up of neighbours, which reads shifted rows, beside the corrected one: AUROC / AP."""
    places = _open_places(figures, "slof@released")
    if not places:
        return _ABSENT
    names = [f"{name}@{form}" for name in ("k-distance", "slof", "dao") for form in ("released", "corrected")]
    lines = [
        (place.label, NAMES[place.set], _asr(figures, place), *(shown(figures, place, name, _both) for name in names))
        for place in places
    ]
    return markdown(("attack, poisons", "set", "ASR", *(name.replace("@", ", ") for name in names)), lines)


def surface_table(figures: Figures) -> str:
    """Return SLOF by the number of neighbours and references, at each rate: AUROC / AP."""
    places = _open_places(figures, "slof@k={},m={}".format(*SURFACE[0]))
    if not places:
        return _ABSENT
    lines = []
    for place in places:
        pairs = figures.of(place, DEFAULT)[0]["pairs"]
        cells = [shown(figures, place, f"slof@k={k},m={m}", _both) for k, m in SURFACE]
        lines.append((f"{NAMES[place.set]}, {place.label}", f"{100 * place.poisons / pairs:.1f} %", *cells))
    return markdown(("set, attack, poisons", "rate", *(f"k = {k}, m = {m:,}" for k, m in SURFACE)), lines)


def _open_places(figures: Figures, name: str) -> list[Place]:
    places = [place for place in figures.places() if place.attack in OPEN_ATTACKS and figures.of(place, name)]
    return sorted(places, key=lambda place: (place.set, place.attack, place.poisons))


def clean_table(figures: Figures) -> str:
    """Return what the decision flags where nobody planted anything."""
    places = [place for place in figures.places() if place.poisons == 0 and figures.of(place, DEFAULT)]
    if not places:
        return _ABSENT
    lines = []
    for place in places:
        rows = [row for row in figures.of(place, DEFAULT) if row["measure"] == "flagged"]
        counts = ", ".join(f"{row['value']:,.0f}" for row in sorted(rows, key=lambda row: row["seed"]))
        some = sum(row["value"] > 0 for row in rows)
        lost = figures.rate(place, DEFAULT, "clean-lost-at-fdr")
        lines.append((NAMES[place.set], str(len(rows)), str(some), lost.short() if lost else NOTHING, counts))
    return markdown(("set", "models", "of which flag any pair", "pairs flagged", "flagged by seed"), lines)


def loop_table(figures: Figures) -> str:
    """Return what dropping and training again does, with as many dropped at random beside it."""
    places = [place for place in figures.places() if place.loop]
    if not places:
        return _ABSENT
    head = ("set, attack", "dropped", "seeds", "pairs dropped", "poisons left", "ASR before", "ASR after")
    lines = []
    for place in sorted(places, key=lambda one: (one.set, one.attack, one.poisons, LOOPS.index(one.loop))):
        gone, left = (figures.mean(place, LOOP, measure) for measure in ("dropped", "planted-left"))
        shares = [figures.rate(place, LOOP, name) for name in ("asr-after", "accuracy-before", "accuracy-after")]
        cells = [one.short() if one else NOTHING for one in shares]
        lines.append(
            (
                f"{NAMES[place.set]}, {replace(place, loop='').label}",
                _LOOPS[place.loop],
                figures.seeds(place),
                f"{gone.value:,.0f}" if gone else NOTHING,
                f"{left.value:,.0f} of {place.poisons:,}" if left else NOTHING,
                _asr(figures, place),
                *(cells if figures.took(place) else [NOT_TESTED] * len(cells)),
            )
        )
    return markdown((*head, "accuracy before", "accuracy after"), lines)


_LOOPS = {
    "share-2": "the most suspicious 2 %",
    "random-2": "2 % at random",
    "flagged": "what was flagged",
    "random-flagged": "as many at random",
}


def machines_table(figures: Figures) -> str:
    """Return which machine measured how many cells of which seeds."""
    lines = []
    for machine in sorted({row["machine"] for row in figures.rows}):
        own = [row for row in figures.rows if row["machine"] == machine]
        seeds = ", ".join(str(seed) for seed in sorted({row["seed"] for row in own}))
        lines.append((machine, f"{len({row['cell'] for row in own}):,}", seeds))
    return markdown(("machine", "cells", "seeds"), lines) if lines else _ABSENT


def _by_set(figures: Figures, wanted: Callable[[Place], bool], make: Callable[[Figures, list[Place]], str]) -> str:
    parts = []
    for name in NAMES:
        places = [place for place in figures.places() if place.set == name and wanted(place)]
        places.sort(key=lambda place: (place.attack, place.setting, place.poisons))
        if places:
            parts.append(f"**{NAMES[name]}**\n\n{make(figures, places)}")
    return "\n".join(parts) or _ABSENT


def _asr(figures: Figures, place: Place) -> str:
    found = figures.success(place)
    return found.short() if found else NOTHING
