from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bezoar.run import Silent, duration
from bezoar.run.printable import cells
from bezoar.run.progress import Lines, Terminal, progress_on_stderr
from bezoar.run.work import Work, bar_line, end_line


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_are_whole_and_few() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    lines.say("10,000 pairs.")
    with lines.step("read") as step:
        clock.now += 3
        step.note("10,000 pairs, 39 unreadable")
    with lines.bar("embed", 9961) as bar:
        for _ in range(9961):
            clock.now += 1 / 67
            bar.advance()
    told = stream.getvalue().splitlines()
    assert told[:2] == ["10,000 pairs.", "read: 10,000 pairs, 39 unreadable, 3 s"]
    # 148 s at 10 % each 15 s: the 30 s are the later of the two.
    assert told[2] == "embed: 2,010 of 9,961, 20 %, 67 pairs/s, 119 s left"
    assert len(told) == 2 + 4 + 1
    assert told[-1] == "embed: 9,961 pairs, 67 pairs/s, 149 s"
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_slow_work_tells_each_tenth() -> None:
    stream, clock = io.StringIO(), Clock()
    with Lines(stream, clock).bar("train", 10, unit="epochs") as bar:
        for epoch in range(10):
            clock.now += 400
            bar.note(f"loss {epoch}")
            bar.advance()
    told = stream.getvalue().splitlines()
    assert [line.split(",")[1].strip() for line in told[:-1]] == [f"{10 * n} %" for n in range(1, 10)]
    assert "loss 0" in told[0]


def test_what_an_earlier_run_did_is_not_in_the_rate() -> None:
    work = Work("embed", 1000, done=900, clock=(clock := Clock()))
    clock.now = 5.0
    work.advance(50)
    assert (work.counts, work.rate, work.left) == ("950 of 1,000", "10 pairs/s", "5 s left")


def test_work_that_fails_leaves_no_line_of_success() -> None:
    stream = io.StringIO()
    with pytest.raises(RuntimeError), Lines(stream).step("read"):
        raise RuntimeError
    assert stream.getvalue() == ""


@given(
    st.integers(0, 120),
    st.integers(0, 10**7),
    st.text(max_size=50),
    st.text(max_size=20),
    st.floats(0, 1),
    st.floats(0, 1e6),
)
def test_a_line_fits_and_keeps_the_counts(
    width: int, total: int, note: str, name: str, share: float, seconds: float
) -> None:
    clock = Clock()
    work = Work(name, total, text=note, clock=clock)
    work.advance(int(share * total))
    clock.now = seconds
    assert cells(bar_line(work, width)) <= width
    assert cells(end_line(work, max(width, 30))) <= max(width, 30)
    if width >= 60:
        assert work.counts in bar_line(work, width)


def test_a_narrow_terminal_loses_time_then_rate_then_bar() -> None:
    clock = Clock()
    work = Work("embed", 9961, clock=clock)
    clock.now = 100.0
    work.advance(6700)
    parts = {"left": work.left, "rate": work.rate, "bar": "━", "counts": work.counts}
    seen = [
        frozenset(part for part, text in parts.items() if text in bar_line(work, width)) for width in range(88, 24, -1)
    ]
    assert list(dict.fromkeys(seen)) == [
        frozenset(parts),
        frozenset(["rate", "bar", "counts"]),
        frozenset(["bar", "counts"]),
        frozenset(["counts"]),
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (43, "43 s"), (148, "148 s"), (240, "4 min"), (1080, "18 min"), (13920, "3 h 52 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_redraws_one_line_and_keeps_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    screen, clock = Screen(), Clock()
    terminal = Terminal(screen, clock)
    terminal.say("a [bold]set[/bold] \x1b[31m:smile:")
    with terminal.step("score") as step, terminal.bar("view", 4, unit="looks") as bar:
        for _ in range(4):
            clock.now += 2
            bar.advance()
        step.note("dao")
    told = screen.getvalue()
    assert "a [bold]set[/bold] \\u001b[31m:smile:\n" in told
    assert "2 of 4" in told
    assert "4 looks, 0.5 looks/s" in told
    assert "score     dao" in told
    assert told.endswith("8 s\n")


def test_a_broken_terminal_does_not_break_the_work() -> None:
    class Gone(Screen):
        def write(self, _text: str) -> int:
            raise OSError

    for progress in (Terminal(Gone()), Lines(Gone())):
        done = 0
        progress.say("x")
        with progress.step("a"), progress.bar("b", 2) as bar:
            bar.advance(2)
            done = 2
        assert done == 2


def test_the_stream_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Screen())
    assert isinstance(progress_on_stderr(), Terminal)
    assert isinstance(progress_on_stderr(quiet=True), Silent)
    monkeypatch.setenv("NO_COLOR", "1")
    assert isinstance(progress_on_stderr(), Lines)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_on_stderr(), Lines)
    monkeypatch.setattr(sys, "stderr", None)
    assert isinstance(progress_on_stderr(), Silent)


def test_rich_waits_for_a_terminal() -> None:
    code = (
        "import sys\nfrom bezoar.run.progress import progress_on_stderr\n"
        "p = progress_on_stderr()\np.say('x')\n"
        "assert not any(m in sys.modules for m in ('rich', 'torch', 'pyarrow'))"
    )
    environment = {**os.environ, "PYTHONPATH": "src"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"x\n")
