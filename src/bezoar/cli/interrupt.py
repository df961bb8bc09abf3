"""Ctrl-C: the first lets the work end in order, a second within two seconds stops at once.

Files stay whole either way: they are renamed into place once they are complete.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_AT_ONCE_S = 2.0
_SHOW_CURSOR = b"\x1b[?25h\n"


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn Ctrl-C into KeyboardInterrupt inside the block, and a second one into an end at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return
    last = float("-inf")

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _AT_ONCE_S:
            with suppress(OSError, ValueError, AttributeError):
                if sys.stderr.isatty():
                    os.write(sys.stderr.fileno(), _SHOW_CURSOR)
            os._exit(130)
        last = now
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
