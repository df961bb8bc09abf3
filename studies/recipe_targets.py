"""The two goals that were set before the grid was run, and whether the figures meet them.

* A training meets its goal if every attack that took is brought to MOST or less, at a cost of at most LOST against
  clip-augmented; a repair if badnets, blended and nashville are, against no repair, and it stays at BACK or less while
  it goes on training on benign pairs.
* The control stands beside: where clip-augmented reaches the goal by itself, a training that does so shows nothing.
* Judged by the pooled rate itself; its interval stands beside it. What was not measured is not met.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from studies.defences_table import ATTACKS, CURVE, REPAIRS
from studies.pages import markdown
from studies.recipe_figures import BENIGN, CONTROL, NOT_TESTED, NOTHING, UNTREATED, Figures, Place, Rate
from studies.recipe_lines import CONTROLS, SECOND_VICTIM, defences, label

SET = "generated"
MOST, LOST, BACK = 0.05, 0.03, 0.15
CURED = ("badnets", "blended", "nashville")
RETURNS = ("badnets", "blended")
# Wrong flags, and the points of a curve on one attack, are questions of their own.
_ASIDE = (*(one.name for one in REPAIRS if one.flags), *(one.name for one in CURVE))


@dataclass(frozen=True)
class Verdict:
    """What speaks against a defence, what is not known of it, and its worst figures."""

    missed: list[str]
    unknown: list[str]
    not_tested: list[str]
    success: str
    lost: str

    def told(self) -> str:
        """Return met, missed or open, and why."""
        if self.missed:
            return f"missed: {', '.join(self.missed)}"
        if self.unknown:
            return f"open: {', '.join(self.unknown)} not measured yet"
        return "met" if not self.not_tested else f"met where the attack took; not tested: {', '.join(self.not_tested)}"


def targets_table(figures: Figures) -> str:
    """Return a line for the control and each training and repair that could meet its goal, and a sentence for each."""
    trainings = [name for name in defences(figures, "training") if name not in (*CONTROLS, SECOND_VICTIM)]
    repairs = [name for name in defences(figures, "repair") if name not in (UNTREATED, *_ASIDE)]
    judged = {
        "control": {CONTROL: _verdict(figures, CONTROL, ATTACKS[SET], CONTROL)},
        "training": {name: _verdict(figures, name, ATTACKS[SET], CONTROL) for name in trainings},
        "repair": {name: _repair(figures, name) for name in repairs},
    }
    head = ("goal", "recipe", "worst success", "largest loss of accuracy", "met?")
    lines: list[tuple[str, ...]] = [
        (kind, label(figures, name), verdict.success, verdict.lost, verdict.told())
        for kind, verdicts in judged.items()
        for name, verdict in verdicts.items()
    ]
    said = "".join(f"* {_sentence(kind, verdicts)}\n" for kind, verdicts in judged.items())
    return f"{said}\n{markdown(head, lines)}"


def _sentence(kind: str, verdicts: dict[str, Verdict]) -> str:
    met = [name for name, verdict in verdicts.items() if verdict.told() == "met"]
    partly = [name for name, verdict in verdicts.items() if verdict.told().startswith("met where")]
    is_open = [name for name, verdict in verdicts.items() if verdict.told().startswith("open")]
    title = f"**{kind.capitalize()}**"
    if met:
        return f"{title}: met by {', '.join(met)}."
    if partly:
        return f"{title}: met by {', '.join(partly)}, but not every attack took."
    return f"{title}: open for {', '.join(is_open)}." if is_open else f"{title}: missed."


def _verdict(figures: Figures, name: str, attacks: tuple[str, ...], control: str) -> Verdict:
    missed, unknown, not_tested = [], [], []
    worst: tuple[Rate, str] | None = None
    lost: tuple[float, str] | None = None
    for attack in attacks:
        place = Place(SET, attack, name)
        if figures.why_not(place) == NOT_TESTED:
            not_tested.append(attack)
            continue
        success, gap = figures.success(place), figures.difference(place, control)
        if success is None or gap is None:
            unknown.append(attack)
        if success:
            worst = max(worst or (success, attack), (success, attack), key=lambda one: one[0].value)
            missed += [f"{attack} {100 * success.value:.1f} %"] if success.value > MOST else []
        if gap:
            less = max(0.0, round(-gap.value, 9))  # 0.98 less 0.95 is more than 0.03 in floats
            lost = max(lost or (less, attack), (less, attack))
            missed += [f"{attack} {100 * less:.1f} points lost"] if less > LOST else []
    if len(not_tested) == len(attacks):  # nothing was met where nothing was asked
        unknown, not_tested = not_tested, []
    return Verdict(
        missed,
        unknown,
        not_tested,
        f"{worst[0].short()}, {worst[1]}" if worst else NOTHING,
        f"{100 * lost[0]:.1f} points, {lost[1]}" if lost else NOTHING,
    )


def _repair(figures: Figures, name: str) -> Verdict:
    verdict = _verdict(figures, name, CURED, UNTREATED)
    missed, unknown = list(verdict.missed), list(verdict.unknown)
    for attack in RETURNS:
        place = Place(SET, attack, name)
        if figures.why_not(place) == NOT_TESTED:
            continue
        back = figures.adapted(place, BENIGN)
        if back is None:
            unknown.append(f"{attack} after adaptation")
        elif back.value > BACK:
            missed.append(f"{attack} {100 * back.value:.1f} % after adaptation")
    return replace(verdict, missed=missed, unknown=unknown)
