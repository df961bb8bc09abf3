"""Tables of the recipes' constants, from the recipes themselves: the paper's beside ours, phases, and lengths.

* "here" is the scale of some ten thousand pairs, "paper" what `--scale paper` takes.
* A constant that no loss of the recipe reads makes no line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bezoar.training.losses import TERMS
from bezoar.training.recipe import SCALES, Pass, Phase, Recipe
from bezoar.training.recipes import RECIPES
from bezoar.training.settings import Settings
from bezoar.training.splits import Campaign, Fraction, Mixture, Split, Threshold
from studies.pages import markdown
from studies.recipe_figures import NOTHING, PLAIN
from studies.recipe_lines import PAGE_OF


@dataclass(frozen=True)
class Lesson:
    """How many pairs a recipe learns from: in this grid, and in its paper, None where that is not known to us."""

    here: int
    paper: int | None


# The generated set; clean pairs less the tenth that is held out; the planted pairs; the papers' as their pages say.
CC3M_PAIRS = 3_000_000
PLAIN_PAIRS = Lesson(8000, CC3M_PAIRS)
CLEAN_PAIRS = 1440
LESSONS = {
    "safeclip": Lesson(8000, 1_000_000),
    "roclip": Lesson(8000, 1_000_000),
    "clean-finetune": Lesson(CLEAN_PAIRS, 100_000),
    "cleanclip": Lesson(CLEAN_PAIRS, 100_000),
    "supervised-finetune": Lesson(CLEAN_PAIRS, 50_000),
    "par": Lesson(CLEAN_PAIRS, 250_000),
    "task-arithmetic": Lesson(CLEAN_PAIRS, None),
    "unlearn": Lesson(7200, None),
}


def recipes_table() -> str:
    """Return a line for each recipe: what it does, what it needs, its paper."""
    lines: list[tuple[str, ...]] = [
        (
            f"[{name}]({PAGE_OF[name]}.md)",
            "repair" if recipe.repairs else "training",
            recipe.summary,
            ", ".join(recipe.needs) or ("clean pairs" if recipe.repairs else ""),
            recipe.paper,
        )
        for name, recipe in RECIPES.items()
    ]
    return markdown(("recipe", "kind", "what it does", "needs", "paper"), lines)


def constants_tables(page: str) -> str:
    """Return the constants and phases of every recipe of a page."""
    return "\n".join(_constants(recipe) for name, recipe in RECIPES.items() if PAGE_OF[name] == page)


def _constants(recipe: Recipe) -> str:
    here, paper = (recipe.at(scale) for scale in SCALES)
    rows: list[tuple[str, ...]] = [(row.title, row.told(here), row.told(paper)) for row in _ROWS if row.of(recipe)]
    head = ("constant", "here", "`--scale paper`")
    phases = _phases(here.phases)
    text = f"**{recipe.name}**\n\n{markdown(head, rows)}\n"
    if _phases(paper.phases) == phases:
        return f"{text}Phases, the same at both scales:\n\n{phases}"
    return f"{text}Phases here:\n\n{phases}\nPhases of `--scale paper`:\n\n{_phases(paper.phases)}"


@dataclass(frozen=True)
class _Row:
    title: str
    read: Callable[[Settings], object]
    of: Callable[[Recipe], bool] = bool

    def told(self, recipe: Recipe) -> str:
        value = self.read(recipe.settings)
        return f"{value:g}" if isinstance(value, float) else str(value)


def _reads_banks(recipe: Recipe) -> bool:
    return any(recipe.uses(name) for name, term in TERMS.items() if term.banks)


def _warms_up(recipe: Recipe) -> bool:
    return any(phase.shape == "cosine" for phase in recipe.phases)


_ROWS = (
    _Row("passes over the pairs", lambda settings: settings.epochs),
    _Row("batch", lambda settings: settings.batch),
    _Row("peak learning rate", lambda settings: settings.learning_rate),
    _Row("AdamW's betas", lambda settings: ", ".join(f"{beta:g}" for beta in settings.betas)),
    _Row("AdamW's eps", lambda settings: settings.eps),
    _Row("weight decay", lambda settings: settings.weight_decay),
    _Row("warm-up, share of a phase", lambda settings: settings.warmup, _warms_up),
    _Row("bank", lambda settings: settings.bank or "2 % of the pairs, at least 8 batches", _reads_banks),
    _Row(
        "threshold of distance (τ)", lambda settings: settings.threshold, lambda recipe: recipe.uses("image-distance")
    ),
    _Row("margin of the push", lambda settings: settings.margin, lambda recipe: recipe.uses("push")),
)


def _phases(phases: tuple[Phase, ...]) -> str:
    head = (
        "phase",
        "share of the recipe",
        "peak, of the recipe's",
        "course",
        "pass",
        "rows",
        "loss",
        "pictures",
        "captions",
    )
    lines: list[tuple[str, ...]] = []
    for phase in phases:
        about = (_phase_name(phase), f"{100 * phase.share:.3g} %", f"{phase.peak:g}", phase.shape)
        for number, walk in enumerate(phase.passes):
            lines.append((*(about if not number else ("",) * len(about)), *_pass(phase, walk)))
    return markdown(head, lines)


def _phase_name(phase: Phase) -> str:
    said = [phase.name]
    said += ["from new weights"] if phase.restart else []
    said += ["left out with `--scan`"] if phase.spared_by_scan else []
    return ", ".join(said)


def _pass(phase: Phase, walk: Pass) -> tuple[str, ...]:
    turn = f", one epoch in {walk.of}" if walk.of > 1 else ""
    slower = f", at {walk.rate:g} of the rate" if walk.rate != 1 else ""
    split = f": {_split(phase.split, phase.once)}" if phase.split and walk.rows == "safe" else ""
    beside = f", {walk.beside} risky beside each batch" if walk.beside else ""
    loss = " + ".join(name if weight == 1 else f"{weight:g} {name}" for weight, name in walk.terms)
    shown = (", ".join(walk.pictures), ", ".join(walk.captions) or NOTHING)
    return (f"{walk.name}{turn}{slower}", f"{walk.rows}{split}{beside}", loss, *shown)


def _split(split: Split, once: bool) -> str:
    rule = split.rule
    if isinstance(rule, Fraction):
        first = f"{100 * rule.share:g} % of most trust"
    elif isinstance(rule, Campaign):
        first = f"all but {rule.times:g} times the estimated campaign, at most {100 * rule.most:g} %, pushed its size,"
    elif isinstance(rule, Mixture):
        first = f"a mixture's posterior of {rule.confidence:g}"
    else:
        assert isinstance(rule, Threshold)
        first = f"trust of {rule.value:g}"
    grows = f", then {100 * split.grow:g} points more an epoch, up to {100 * split.most:g} %" if split.grow else ""
    shared = ", distrust shared among like captions" if split.shared else ""
    return f"{first} by {split.signal}{shared}{', decided once' if once else ''}{grows}"


# from millions to thousands


def scale_table() -> str:
    """Return steps × peak rate of each phase as a share of plain training's, in the paper and here."""
    lines: list[tuple[str, ...]] = []
    for name, recipe in RECIPES.items():
        lesson, published = LESSONS.get(name, PLAIN_PAIRS), recipe.at("paper")
        for phase, theirs in zip(recipe.phases, published.phases, strict=True):
            ours = _length(recipe, phase, lesson.here)
            paper = _length(published, theirs, lesson.paper) if lesson.paper else None
            lines.append((name, phase.name, *_told(paper, _plain_of(published, lesson)), *_told(ours, _plain("data"))))
    head = ("recipe", "phase", "paper: steps", "peak rate", "of plain", "here: steps", "peak rate", "of plain")
    return markdown(head, lines)


@dataclass(frozen=True)
class _Length:
    steps: float
    rate: float

    @property
    def travel(self) -> float:
        """Steps times rate."""
        return self.steps * self.rate


def _length(recipe: Recipe, phase: Phase, pairs: int) -> _Length:
    settings = recipe.settings
    return _Length(phase.epochs(settings) * pairs / settings.batch, phase.peak * settings.learning_rate)


def _plain(scale: str) -> _Length:
    recipe = RECIPES[PLAIN].at(scale)
    return _length(recipe, recipe.phases[0], PLAIN_PAIRS.here if scale == "data" else CC3M_PAIRS)


def _plain_of(published: Recipe, lesson: Lesson) -> _Length:
    """Return the plain training that a paper compares with: of a training, as many passes at the same rate."""
    if published.repairs or not lesson.paper:
        return _plain("paper")
    settings = published.settings
    return _Length(settings.epochs * lesson.paper / settings.batch, settings.learning_rate)


def _told(length: _Length | None, plain: _Length) -> tuple[str, str, str]:
    if length is None:
        return (NOTHING,) * 3
    return f"{length.steps:,.0f}", f"{length.rate:.2g}", _percent(length.travel / plain.travel)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
