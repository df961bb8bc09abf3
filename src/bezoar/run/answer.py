"""What every job gives back: numbers for a program, lines for a reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """The end of a job.

    `summary` is the object that `--json` prints: plain JSON values, no NaN. `lines` is the human answer: one
    sentence with numbers first, then the files, then the next command. `file` is the one path that `--quiet`
    names behind the first line; empty if there is none.
    """

    summary: dict[str, Any]
    lines: Sequence[str] = field(default_factory=tuple)
    file: str = ""
