"""Errors are sentences: what is wrong, and what to do next. One line each, with an exit code."""

from __future__ import annotations

WRONG_REQUEST = 2
BROKEN_DATA = 3


class BezoarError(Exception):
    """A request or data that bezoar cannot go on with.

    `what` names the thing that is wrong, `do` the next step; both are printed as one line.
    `code` is the exit code: 2 for a wrong request, 3 for data too broken to go on.
    """

    def __init__(self, what: str, do: str, code: int = WRONG_REQUEST) -> None:
        super().__init__(f"{what} {do}".strip())
        self.what = what
        self.do = do
        self.code = code


def nearest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """Return "Did you mean X?" for the closest known name, or the list of all of them."""
    import difflib

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]}?" if close else f"Known: {', '.join(sorted(known))}."
