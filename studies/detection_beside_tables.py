"""Tables of the questions beside the grid of detection."""

from __future__ import annotations

from bezoar.detection.reference import LARGEST_REFERENCE, choose, visible_rate
from studies.attack_tables import NOT_YET
from studies.detection_figures import FIRST, Figures, Mean, Place
from studies.detection_tables import NAMES
from studies.pages import markdown
from studies.recipe_figures import NOT_TESTED, NOTHING, Rows

_ABSENT = f"{NOT_YET.capitalize()}.\n"
PRECISION, AUROC = "average-precision", "auroc"
FEW = 16


def views_table(figures: Figures, rows: Rows) -> str:
    """Return average precision by the number of views and of whom they were asked; the grid says whether it counts."""
    own = [row for row in rows if row["measure"] == PRECISION]
    places = [place for place in FIRST if _of(own, place)]
    if not places:
        return _ABSENT
    head = ("views", "of", "passes a pair", *(f"{NAMES[place.set]}: {place.label}" for place in places))
    lines = []
    for views, share in sorted({(row["views"], row["share"]) for row in own}, key=lambda one: (-one[1], one[0])):
        asked = [row for row in own if (row["views"], row["share"]) == (views, share)]
        passes = sum(row["passes"] for row in asked) / len(asked)
        whom = "all" if share == 1 else f"{100 * share:.0f} % most suspected"
        cells = [_counted(figures, place, _of(asked, place)) for place in places]
        lines.append((str(views), whom if views else NOTHING, f"{passes:.1f}", *cells))
    return markdown(head, lines)


def _of(rows: Rows, place: Place) -> Rows:
    named = (place.set, place.attack, place.poisons)
    return [row for row in rows if (row["set"], row["attack"], row["poisons"]) == named]


def _counted(figures: Figures, place: Place, rows: Rows) -> str:
    if figures.success(place) is not None and not figures.took(place):
        return NOT_TESTED
    own = [row for row in rows if row["seed"] not in figures.spared(place)]
    return _mean(own).told() if own else NOTHING


def _mean(rows: Rows) -> Mean:
    return Mean(tuple(row["value"] for row in sorted(rows, key=lambda row: row["seed"])))


def people_table(rows: Rows) -> str:
    """Return the agreement with people: the first seed with its interval, and tau-b of the others."""
    own = [row for row in rows if row["measure"] != "trained on"]
    if not own:
        return _ABSENT
    first, *others = sorted({row["seed"] for row in own})
    named = ", ".join(str(seed) for seed in others)
    head = ("judged by", "captions", "score", "judgements", "pictures", "Kendall's τ-b", "τ-c", "Spearman's ρ")
    lines = []
    for which in dict.fromkeys((row["annotations"], row["captions"], row["score"]) for row in own):
        of = [row for row in own if (row["annotations"], row["captions"], row["score"]) == which]
        by = {(row["seed"], row["measure"]): row for row in of}
        tau = by[first, "tau-b"]
        told = f"{tau['value']:.3f} <small>[{tau['low']:.3f}, {tau['high']:.3f}]</small>"
        figures = [f"{by[first, name]['value']:.3f}" if (first, name) in by else NOTHING for name in ("tau-c", "rho")]
        again = [f"{by[seed, 'tau-b']['value']:.3f}" for seed in others if (seed, "tau-b") in by]
        line = (*which, f"{tau['n']:,}", f"{tau['pictures']:,}", told, *figures)
        lines.append((*line, ", ".join(again)) if others else line)
    return _trained(rows) + markdown((*head, f"τ-b of seeds {named}") if others else head, lines)


def _trained(rows: Rows) -> str:
    """Say how many judgements are of pictures that the model was trained on."""
    counts = {row["annotations"]: row["n"] for row in rows if row["measure"] == "trained on"}
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f"Judgements of pictures that the model was trained on: {told}.\n\n"


def rates_table(rows: Rows) -> str:
    """Return every detector at every rate, AUROC / AP, and how many fellows stand in the reference."""
    if not rows:
        return _ABSENT
    names = list(dict.fromkeys(row["detector"] for row in rows))
    head = ("rate", "vectors", "planted", "λ in the reference", *(f"`{name}`" for name in names))
    lines = []
    for rate, vectors in sorted({(row["rate"], row["vectors"]) for row in rows}):
        own = [row for row in rows if (row["rate"], row["vectors"]) == (rate, vectors)]
        planted = sum(row["planted"] for row in own) / len(own)
        expected = f"{LARGEST_REFERENCE * rate:.1f}"
        lines.append((f"{100 * rate:g} %", vectors, f"{planted:,.0f}", expected, *(_both(own, name) for name in names)))
    victims = len({row["seed"] for row in rows})
    return f"AUROC / AP, means over {victims} victims. By k ≥ λ + 4√λ, {_bounds()}.\n\n" + markdown(head, lines)


def _bounds() -> str:
    usual = choose(None, 2 * LARGEST_REFERENCE)[0]
    return " and ".join(f"k = {k} sees up to {100 * visible_rate(k, LARGEST_REFERENCE):.1f} %" for k in (FEW, usual))


def _both(rows: Rows, detector: str) -> str:
    own = [row for row in rows if row["detector"] == detector]
    areas = [_mean([row for row in own if row["measure"] == measure]) for measure in (AUROC, PRECISION)]
    return " / ".join(f"{area.value:.3f}" for area in areas)
