"""argparse whose errors are our sentences, and the types of values."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from bezoar.run import BezoarError, nearest


class Parser(argparse.ArgumentParser):
    """A parser of one verb's words; raises BezoarError where argparse would print and exit."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, or raise a sentence that names the nearest option."""
        asked, unknown = self.parse_known_args(args, namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            known = [option for option in self._option_string_actions if option.startswith("--")]
            hint = nearest(word, known) if word.startswith("-") else ""
            close = hint if hint.startswith("Did") else ""
            raise BezoarError(f"{self._verb} does not take {word}.", f"{close} {self._see}".strip())
        return asked

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as a sentence."""
        missing = re.fullmatch(r"the following arguments are required: (.*)", message)
        one_of = re.fullmatch(r"one of the arguments (.*) is required", message)
        if missing:
            message = f"{self._verb} needs {missing[1]}"
        elif one_of:
            message = f"{self._verb} needs {one_of[1].replace(' ', ' or ')}"
        elif message.startswith("argument "):
            message = message.removeprefix("argument ")
        raise BezoarError(f"{message}.", self._see)

    @property
    def _verb(self) -> str:
        return self.prog.removeprefix("bezoar ")

    @property
    def _see(self) -> str:
        return f"See {self.prog} --help."


def whole_number(least: int = 1) -> Callable[[str], int]:
    """Return the type of whole numbers from `least` up."""

    def whole(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} up")
        return int(text)

    return whole


def positive(text: str) -> float:
    """Return a finite number above 0."""
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def share(text: str) -> float:
    """Return a number above 0 and below 1."""
    value = _number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return value


def names(text: str) -> list[str]:
    """Return the parts of a list with commas."""
    parts: Sequence[str] = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names with commas between")
    return list(parts)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
