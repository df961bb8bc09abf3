"""Work that is being counted, and the lines that show it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bezoar.run.printable import cells, printable

WIDEST = 88
_NAME = 10
_BAR = 40
_SHORTEST_BAR = 8


def duration(seconds: float) -> str:
    """Return seconds in the unit a reader wants: "43 s", "18 min", "3 h 52 min"."""
    if seconds < 179.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


@dataclass
class Work:
    """A step (no total) or a bar, and what there is to say of it."""

    name: str
    total: int | None = None
    unit: str = "pairs"
    text: str = ""
    done: int = 0
    clock: Callable[[], float] = time.monotonic
    redraw: Callable[[], None] = lambda: None
    before: int = field(init=False)
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.done
        self.begun = self.clock()

    def note(self, text: str) -> None:
        """Replace what is told beside the counts."""
        self.text = text
        self.redraw()

    def advance(self, n: int = 1) -> None:
        """Count `n` more units as done."""
        self.done += n
        self.redraw()

    @property
    def seconds(self) -> float:
        """Seconds since the work began."""
        return self.clock() - self.begun

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 1.0

    @property
    def counts(self) -> str:
        """As in "7,104 of 9,961"."""
        return f"{self.done:,} of {self.total:,}"

    @property
    def rate(self) -> str:
        """As in "67 pairs/s"; empty before the first unit."""
        a_second = self._a_second()
        if not a_second:
            return ""
        return f"{a_second:,.0f} {self.unit}/s" if a_second >= 9.95 else f"{a_second:.1f} {self.unit}/s"

    @property
    def left(self) -> str:
        """As in "43 s left"; empty where it cannot be told."""
        a_second = self._a_second()
        if not a_second or self.total is None or self.done >= self.total:
            return ""
        return f"{duration((self.total - self.done) / a_second)} left"

    @property
    def result(self) -> str:
        """What stays of it when it is finished: "9,961 pairs, 67 pairs/s"."""
        counted = "" if self.total is None else f"{self.done:,} {self.unit}"
        return ", ".join(part for part in (counted, self.rate, printable(self.text)) if part)

    def _a_second(self) -> float:
        return (self.done - self.before) / self.seconds if self.seconds > 0 else 0.0


def bar_line(work: Work, width: int) -> str:
    """Return the line of work in progress, in at most `width` cells."""
    name = _name(work)
    if work.total is None:
        return printable(f"{name}{printable(work.text)}", width)
    note = printable(work.text)
    # What is dropped first stands last; the counts are never dropped.
    optional = [part for part in (note, work.rate, work.left) if part]
    for kept in range(len(optional), -1, -1):
        tail = "   ".join([work.counts, *optional[:kept]])
        room = width - cells(name) - cells(tail) - 2
        if room >= _SHORTEST_BAR:
            return f"{name}{_drawing(work.share, min(_BAR, room))}  {tail}"
    return printable(f"{name}{work.counts}", width)


def end_line(work: Work, width: int) -> str:
    """Return the line that stays: name, result, and the seconds at the right edge of 76 columns."""
    seconds = duration(work.seconds)
    edge = min(width, 76)
    left = printable(f"{_name(work)}{work.result}", edge - cells(seconds) - 2)
    return left + " " * (edge - cells(left) - cells(seconds)) + seconds


def _name(work: Work) -> str:
    return f"{printable(work.name, 30):<{_NAME - 1}} "


def _drawing(share: float, width: int) -> str:
    full = int(share * width)
    if full >= width:
        return "━" * width
    return "━" * full + "╸" + " " * (width - full - 1)
