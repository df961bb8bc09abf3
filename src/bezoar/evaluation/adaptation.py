"""Does a backdoor come back? What is asked of a model while it goes on training, and the worst of the answers.

* A course is one way to go on: at the repair's peak rate and at a tenth of it on benign pairs alone, and at the peak
  rate with some poisons among them (after 2410.09838: a low success rate is no removed backdoor).
* The worst is taken over all points of the way, the start among them: it has the interval of that one point, and is a
  little high for that reason, in the never-poisoned model beside it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bezoar.evaluation.measure import Measure

SUCCESS = ("asr", "psr", "hit@1")
ACCURACY = "zero-shot-top1"
ADAPTED = "after-adaptation"

Points = Mapping[float, Sequence[Measure]]


@dataclass(frozen=True)
class Course:
    """One way to go on training: `rate` at its peak, with `poisons` among the pairs; `told` in words."""

    name: str
    rate: float
    told: str
    poisons: int = 0

    @property
    def row(self) -> str:
        """How the rows end that this course gives."""
        return f"after-{self.poisons}-poisons" if self.poisons else ADAPTED


@dataclass(frozen=True)
class Walked:
    """A course that was gone: how many steps on how many pairs, and what was measured by the share of the way."""

    course: Course
    steps: int
    pairs: int
    points: Points


def courses(rate: float, poisons: Iterable[int]) -> list[Course]:
    """Return all courses for a repair whose highest learning rate was `rate`."""
    return [
        Course("peak", rate, f"learning rate {rate:g}"),
        Course("tenth", rate / 10, f"learning rate {rate / 10:g}"),
        *(Course(f"{count}-poisons", rate, f"learning rate {rate:g}", count) for count in poisons),
    ]


def asked_on_the_way(rows: Sequence[Measure]) -> list[Measure]:
    """Return the rows that are followed: the success of each goal, and accuracy."""
    return [row for row in rows if row.name in (*SUCCESS, ACCURACY)]


def adaptation_rows(start: Sequence[Measure], walked: Sequence[Walked]) -> list[Measure]:
    """Return the worst success of each goal for each kind of course, and the accuracy at the end of the first.

    Rows: `asr-after-adaptation` (or psr-, hit@1-) over all courses without poisons, `asr-after-N-poisons`,
    `zero-shot-top1-after-adaptation`. `start`: the rows of the model as it was.
    """
    out = []
    for row in asked_on_the_way(start):
        kinds = dict.fromkeys(one.course.row for one in walked)
        if row.name == ACCURACY:
            out += [_named(row, ADAPTED, _end(row, walked[0]))]
        else:
            out += [_named(row, kind, _worst(row, [one for one in walked if one.course.row == kind])) for kind in kinds]
    return out


def _named(row: Measure, kind: str, found: Measure) -> Measure:
    return replace(found, name=f"{row.name}-{kind}")


def _worst(start: Measure, walked: Sequence[Walked]) -> Measure:
    """Return the highest value of a row on the way, the start included; its protocol says where it was."""
    places = [(one, share, _same(start, rows)) for one in walked for share, rows in one.points.items()]
    one, share, row = max(places, key=lambda place: place[2].value)
    where = f"at {share:.0%} of the way at {one.course.told}".replace("%", " %")
    if start.value >= row.value:
        row, where = start, "before the first step"
    ways = " and ".join(f"{one.steps:,} steps at {one.course.told}" for one in walked)
    found = f"the highest of {1 + len(places)} points, {where}"
    return replace(row, protocol=f"{start.protocol}; adaptation: {_told(walked[0])}, {ways}; point: {found}")


def _end(start: Measure, walked: Walked) -> Measure:
    row = _same(start, walked.points[max(walked.points)])
    way = f"{_told(walked)}, {walked.steps:,} steps at {walked.course.told}"
    return replace(row, protocol=f"{start.protocol}; adaptation: {way}; point: the end")


def _told(walked: Walked) -> str:
    count = walked.course.poisons
    among = f", {count:,} of them planted anew" if count else ""
    return f"plain CLIP on {walked.pairs:,} benign pairs{among}"


def _same(row: Measure, rows: Sequence[Measure]) -> Measure:
    return next(one for one in rows if (one.name, one.goal) == (row.name, row.goal))
