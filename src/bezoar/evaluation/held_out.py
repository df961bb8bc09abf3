"""What a repair is watched by: pairs that it does not train on, and how well the model still reads them.

* Two figures: retrieval (the mean of R@1 both ways among these pairs) and, where they have labels with names,
  zero-shot accuracy. Both depend on the number of pairs: they compare a model with what it was, not with others.
* Accuracy decides where there is one, else retrieval: among pairs that a model was trained on it knows all but the
  copies by heart, and any further training costs some of that.
* A point is kept where the figure lies no more than the bound below its start. One that is not ends the repair, but for
  those before a recipe has settled: a rate that is still high, or a push that comes first, harms and then heals.
* Where pairs have been scanned, the half that is suspected least gives them: poison would not miss its backdoor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bezoar.evaluation.bench import Bench, Setting, Shown
from bezoar.evaluation.measure import Measure
from bezoar.evaluation.retrieval import retrieval
from bezoar.evaluation.zero_shot import accuracy
from bezoar.models import Clip
from bezoar.pairs import Pairs
from bezoar.run import BezoarError, random

RETRIEVAL, ACCURACY = "retrieval", "zero-shot"
FEWEST, MOST = 10, 2000
Figures = dict[str, float]
Rows = NDArray[np.int64]


def kept_apart(pairs: Pairs, share: float, seed: int, scores: NDArray[np.float64] | None = None) -> tuple[Rows, Rows]:
    """Return the positions to train on and those to hold out, both ascending: `share` of the usable ones, up to MOST.

    `scores` (n,): how suspicious a scan found each pair; without a score a pair is not usable. Raises BezoarError
    where fewer than FEWEST would be held out.
    """
    usable = np.array([reason is None for reason in pairs.reasons], bool)
    usable &= np.array([bool(own) for own in pairs.captions], bool)
    if scores is not None:
        usable &= np.isfinite(scores)
    rows = np.flatnonzero(usable)
    count = min(MOST, round(share * len(rows)))
    if count < FEWEST:
        raise BezoarError(
            f"{len(rows):,} usable pairs leave {count} to judge the repair by; {FEWEST} are the fewest.",
            "Add pairs, or raise --hold-out.",
        )
    trusted = rows if scores is None else rows[np.argsort(scores[rows], kind="stable")[: max(count, len(rows) // 2)]]
    held = np.sort(random(seed, "held out").choice(trusted, count, replace=False))
    return np.setdiff1d(rows, held), held


@dataclass(frozen=True)
class HeldOut:
    """Pairs that are kept from training, as a bench for each model that comes before them."""

    shown: Shown
    setting: Setting
    device: str = "cpu"

    def bench(self, clip: Clip) -> Bench:
        """Put a model before the pairs."""
        return Bench(clip, self.device, self.shown, self.setting)

    def rows(self, bench: Bench) -> list[Measure]:
        """Return r@1-image-to-text, r@1-text-to-image and, of the pairs with a label, zero-shot-top1."""
        rows = [row for row in retrieval(bench) if row.name.startswith("r@1-")]
        pairs = self.shown.pairs
        known = (pairs.labels >= 0) & (pairs.labels < len(pairs.classes))
        if known.any():
            labelled = bench if known.all() else replace(bench, shown=_only(self.shown, known))
            rows += [row for row in accuracy(labelled) if row.name == "zero-shot-top1"]
        return rows


def figures(rows: Sequence[Measure]) -> Figures:
    """Return the figures that are watched, each a share in 0…1."""
    known = {row.name: row.value for row in rows}
    out = {RETRIEVAL: float(np.mean([value for name, value in known.items() if name.startswith("r@1-")]))}
    return out | ({ACCURACY: known["zero-shot-top1"]} if "zero-shot-top1" in known else {})


def fallen(start: Figures, now: Figures, bound: float) -> str | None:
    """Return the name of the figure that decides, if it lies more than `bound` below its start; else None."""
    decides = ACCURACY if ACCURACY in start else RETRIEVAL
    return decides if start[decides] - now[decides] > bound else None


@dataclass
class Watch:
    """What a trainer calls on the way: measures, remembers, and says whether to go on.

    `points` maps the share of steps done to the figures there; `kept` is the last share that was accepted, `stopped`
    the one that was not, `why` the figure that fell. `remember` hears the points after each new one.
    """

    held: HeldOut
    start: Figures
    bound: float
    settles: float = 0.0
    points: dict[str, Figures] = field(default_factory=dict)
    remember: Callable[[dict[str, Figures]], object] = lambda _: None
    kept: float = field(default=0.0, init=False)
    stopped: float | None = field(default=None, init=False)
    why: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        good = [float(share) for share, now in self.points.items() if fallen(self.start, now, self.bound) is None]
        self.kept = max(good, default=0.0)

    def __call__(self, clip: Clip, share: float) -> bool | None:
        """Return whether the model is to be kept as it is now: False ends the repair, None goes on without keeping."""
        now = figures(self.held.rows(self.held.bench(clip)))
        self.points[f"{share:.3f}"] = now
        self.remember(self.points)
        self.why = fallen(self.start, now, self.bound)
        if self.why is None:
            self.kept = share
            return True
        if share < self.settles:
            return None
        self.stopped = share
        return False


def _only(shown: Shown, known: NDArray[np.bool_]) -> Shown:
    return Shown(shown.decoded, shown.positions[known])
