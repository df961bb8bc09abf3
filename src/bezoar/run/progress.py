"""What is going on, told on stderr while it goes on; the answer alone goes to stdout.

* A job is handed a `Progress` and never asks what is behind it: `Silent` (the default in Python, and
  `--quiet`), `Lines` (a file, NO_COLOR, TERM=dumb) or `Terminal`.
* On a terminal one line at a time is redrawn in place; what is finished becomes one plain line that stays.
* A narrow terminal loses the time left first, then the rate, then the bar; never the counts.
* Nothing here may break a run: a closed stderr is silence, untrusted characters are escaped.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol, TextIO

from bezoar.run.printable import printable
from bezoar.run.work import WIDEST, Work, bar_line, duration, end_line

_REDRAW_S = 0.1
_LINE_SHARE = 0.1
_LINE_S = 30.0


class Step(Protocol):
    """Work of which only the end is counted."""

    def note(self, text: str) -> None:
        """Say what the step's line tells beside its name: "10,000 pairs, 39 unreadable"."""
        ...


class Bar(Step, Protocol):
    """Work that is counted as it goes."""

    def advance(self, n: int = 1) -> None:
        """Count `n` more units as done."""
        ...


class Progress(Protocol):
    """What a job tells its user."""

    def say(self, line: str) -> None:
        """Tell one line: what will be done, or a note."""
        ...

    def step(self, name: str) -> AbstractContextManager[Step]:
        """Work that ends in one line with its seconds."""
        ...

    def bar(
        self, name: str, total: int, unit: str = "pairs", note: str = "", done: int = 0
    ) -> AbstractContextManager[Bar]:
        """Work on `total` units, of which `done` were finished by an earlier run and are not in the rate."""
        ...


def progress_on_stderr(quiet: bool = False) -> Progress:
    """Return what fits the place where stderr goes to."""
    stream = sys.stderr
    # Of several processes that train together the first alone speaks.
    if quiet or os.environ.get("LOCAL_RANK", "0") != "0" or stream is None or stream.closed:
        return Silent()
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Terminal(stream) if stream.isatty() and not plain else Lines(stream)


class Silent:
    """Tells nothing."""

    def say(self, line: str) -> None:
        """Tell nothing."""

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Tell nothing of a step."""
        yield Work(name)

    @contextmanager
    def bar(self, name: str, total: int, unit: str = "pairs", note: str = "", done: int = 0) -> Iterator[Bar]:
        """Tell nothing of a bar."""
        yield Work(name, total, unit, note, done)


class Lines:
    """Whole lines only, for files and logs: for a bar one each 10 % or 30 s, whichever is later."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock

    def say(self, line: str) -> None:
        """Write one line."""
        with _unbreakable():
            self._stream.write(printable(line) + "\n")
            self._stream.flush()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Write one line when the step has ended."""
        work = Work(name, clock=self._clock)
        yield work
        self._say_end(work)

    @contextmanager
    def bar(self, name: str, total: int, unit: str = "pairs", note: str = "", done: int = 0) -> Iterator[Bar]:
        """Write a line now and then, and one when the work has ended."""
        work = Work(name, total, unit, note, done, self._clock)
        shown_share, shown_at = work.share, work.begun

        def redraw() -> None:
            nonlocal shown_share, shown_at
            now = self._clock()
            # A billionth of slack: ten steps of a tenth do not sum to one.
            if work.share - shown_share < _LINE_SHARE - 1e-9 or now - shown_at < _LINE_S or work.share >= 1:
                return
            shown_share, shown_at = work.share, now
            told = (work.counts, f"{100 * work.share:.0f} %", work.rate, printable(work.text), work.left)
            self.say(f"{name}: " + ", ".join(part for part in told if part))

        work.redraw = redraw
        yield work
        self._say_end(work)

    def _say_end(self, work: Work) -> None:
        told = (work.result, duration(work.seconds))
        self.say(f"{work.name}: " + ", ".join(part for part in told if part))


class Terminal:
    """One line redrawn in place by rich; the innermost where steps are nested."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.live import Live

        self._clock = clock
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        # No refresh thread: it would race with the work; the work itself redraws.
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=False)
        self._open: list[Work] = []
        self._drawn = -1.0

    def say(self, line: str) -> None:
        """Print one line above what is being redrawn."""
        from rich.text import Text

        with _unbreakable():
            self._console.print(Text(printable(line)), soft_wrap=True)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show the step while it runs; leave one line with its seconds."""
        with self._showing(Work(name, clock=self._clock)) as work:
            yield work

    @contextmanager
    def bar(self, name: str, total: int, unit: str = "pairs", note: str = "", done: int = 0) -> Iterator[Bar]:
        """Show the bar while it runs; leave one line with its rate and seconds."""
        with self._showing(Work(name, total, unit, note, done, self._clock)) as work:
            yield work

    @contextmanager
    def _showing(self, work: Work) -> Iterator[Work]:
        work.redraw = self._redraw
        self._open.append(work)
        with _unbreakable():
            self._live.start()
        self._redraw(now=True)
        last = ""
        try:
            yield work
            last = end_line(work, self._width)
        except BaseException:
            last = bar_line(work, self._width)  # what had been reached stays on the screen
            raise
        finally:
            self._open.remove(work)
            with _unbreakable():
                if not self._open:
                    self._live.stop()
            self.say(last)
            self._redraw(now=True)

    @property
    def _width(self) -> int:
        return min(WIDEST, self._console.width)

    def _redraw(self, now: bool = False) -> None:
        if not self._open or (not now and self._clock() - self._drawn < _REDRAW_S):
            return
        from rich.text import Text

        self._drawn = self._clock()
        with _unbreakable():
            line = bar_line(self._open[-1], self._width)
            self._live.update(Text(line, no_wrap=True, overflow="crop"), refresh=True)


def _unbreakable() -> AbstractContextManager[None]:
    return suppress(OSError, ValueError)  # the terminal went away: the run matters more than its progress
