"""A repair in words: the lines that end it, and the card that lies beside its weights.

Both are made of what the run noted, so a repair that was finished before tells the same.
"""

from __future__ import annotations

from bezoar.evaluation.held_out import figures
from bezoar.evaluation.measure import Measure, told_as
from bezoar.evaluation.metrics import read_rows
from bezoar.models.card import card
from bezoar.run import Run
from bezoar.training.recipe import Recipe
from bezoar.training.settings import Settings
from bezoar.training.tuning import knob_of

STALE = "Indexes and stored embeddings that the old model made are stale: make them again with this one."
NOT_MEASURED = (
    "Whether the backdoor is gone was not measured: that takes the trigger (bezoar evaluate --plan or --trigger).",
    "Whether it comes back with further training was not measured (bezoar evaluate --after-adaptation).",
    "Held-out figures compare the model with what it was, on pairs of the set that it learnt from; they are no "
    "figures of another test set.",
)


def repair_card(run: Run, recipe: Recipe, settings: Settings) -> None:
    """Write the card of a repair whose figures its run has noted."""
    stopped = _stopped(run)
    notes = [*([] if stopped is None else [stopped]), STALE, *NOT_MEASURED]
    card(run.path, f"Repaired with {recipe.name}", _facts(run, recipe, settings), notes)


def repair_lines(run: Run) -> list[str]:
    """Return what a repair says at its end."""
    name = run.get("parameters")["recipe"]["name"]
    before, after = _held_out(run)
    was, now = figures(before), figures(after)
    told = ", ".join(f"{figure} {100 * was[figure]:.1f} % → {100 * now[figure]:.1f} %" for figure in was)
    moved = {row.name.removeprefix("old-new-cosine-"): row for row in read_rows(run.get("drift"))}
    drift = ", ".join(
        f"{tower} {told_as(row.unit, row.value, row.low, row.high).strip()}" for tower, row in moved.items()
    )
    stopped, split = _stopped(run), _split(run)
    return [
        f"{name}: {run.get('steps'):,} steps on {run.get('pairs'):,} pairs.",
        *([] if split is None else [f"Distrust  {split}"]),
        *([] if stopped is None else [stopped]),
        f"Held out  {told} (n = {max(row.n for row in before):,})",
        f"Drift     mean cosine of old and new vectors: {drift}",
        STALE,
    ]


def _facts(run: Run, recipe: Recipe, settings: Settings) -> list[tuple[str, str]]:
    knob, gone = knob_of(recipe), run.get("subtracted")
    strength = [] if knob is None else [("Strength", f"{knob.read(recipe):g}, {knob.meaning}")]
    if gone is not None:
        way = f"{gone['share'] * gone['factor']:g} of a factor of {gone['factor']:g} on what triggered pairs had taught"
        strength.append(("Subtracted", way))
    before, after = _held_out(run)
    return [
        ("Made from", f"a model whose weights have the digest {run.get('made_from')}"),
        ("Weights now", f"digest {run.get('made')}"),
        ("Recipe", f"{recipe.name}: {recipe.summary}"),
        ("Paper", recipe.paper),
        ("Pairs", f"{run.get('pairs'):,} learnt from; the set's fingerprint is {run.get('inputs')['pairs']}"),
        (
            "Constants",
            f"{run.get('steps'):,} steps of {settings.batch} pairs, peak learning rate {run.get('peak_rate'):g}, "
            f"weight decay {settings.weight_decay:g}, seed {settings.seed}",
        ),
        *strength,
        *([] if (split := _split(run)) is None else [("Distrust", split)]),
        *[(row.name, _told(row)) for row in read_rows(run.get("drift"))],
        *[
            (f"{was.name}, held out", f"{_told(was)} before, {_told(now)} now")
            for was, now in zip(before, after, strict=True)
        ],
        ("Made by", f"bezoar {run.get('version')}"),
    ]


def _stopped(run: Run) -> str | None:
    """Return the one line on a repair that its watch has ended."""
    stopped = run.get("stopped")
    if stopped is None:
        return None
    fell = (
        f"{stopped['figure']} on held-out pairs had fallen by more than {100 * stopped['bound']:g} points at "
        f"{100 * stopped['at']:.0f} % of the way"
    )
    if stopped["kept"] == 0:
        return f"Not repaired: {fell}, so the weights are those that it began with."
    return f"Stopped early: {fell}; the weights are those at {100 * stopped['kept']:.0f} %."


def _split(run: Run) -> str | None:
    """Return which pairs a repair that goes on from a scan has distrusted."""
    sides = run.get("split")
    if sides is None:
        return None
    doubtful = f", {sides['doubtful']:,} left out as doubtful" if sides["doubtful"] else ""
    return f"{sides['worst']:,} pairs pushed off their captions{doubtful}, {sides['kept']:,} kept"


def _held_out(run: Run) -> tuple[list[Measure], list[Measure]]:
    held = run.get("held_out")
    return read_rows(held["before"]), read_rows(held["after"])


def _told(row: Measure) -> str:
    return f"{told_as(row.unit, row.value, row.low, row.high).strip()} (n = {row.n:,})"
