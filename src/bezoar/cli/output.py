"""What a command prints on stdout and stderr, whatever these are connected to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress


def print_lines(lines: Iterable[str]) -> None:
    """Print the answer on stdout; a reader that has gone away (`| head`) ends it quietly."""
    stream = sys.stdout
    if stream is None:
        return
    _accept_all_characters(stream)
    try:
        for line in lines:
            stream.write(line + "\n")
        stream.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(sentence: str) -> None:
    """Print one line on stderr, if there is one."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print(sentence, file=sys.stderr, flush=True)


def _accept_all_characters(stream: object) -> None:
    # A terminal that is not UTF-8 shows \u escapes instead of failing on "…".
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="backslashreplace")
