"""The page of the demo: what it is filled with, and the page.

* The story in four steps: what is planted, what it does, what was found, where to go from here.
* What the demo does not show is passed in as sentences and stands beside what was found.
* Rates come with their n; the page works out counts and Wilson intervals from the two.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

from bezoar.report.numbers import count, percent
from bezoar.report.page import assembled

STYLES = ("tokens.css", "base.css", "demo.css")
MOST_UNITS = 400
_LOCAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


@dataclass(frozen=True)
class Picture:
    """A WebP from `thumbnail`, what it shows in words, and its caption (empty where it has none)."""

    image: bytes
    shows: str
    caption: str = ""


@dataclass(frozen=True)
class Box:
    """Where the trigger lies, as fractions of the canvas."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ModelRow:
    """One model: clean accuracy and attack success as rates in [0, 1], each with its n."""

    name: str
    note: str
    accuracy: float
    accuracy_n: int
    asr: float
    asr_n: int

    @property
    def accurate(self) -> int:
        """How many pictures it names rightly."""
        return round(self.accuracy * self.accuracy_n)

    @property
    def fooled(self) -> int:
        """How many pictures with the trigger it calls the target."""
        return round(self.asr * self.asr_n)


@dataclass(frozen=True)
class Answers:
    """What the poisoned model answers to one picture: class names with their share of the softmax."""

    picture: Picture
    top: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Link:
    """A file that lies beside the page: why to open it, and its relative path."""

    why: str
    path: str


@dataclass(frozen=True)
class DemoPage:
    """Everything the demo's page shows.

    `found` of `planted` pairs are among the `dropped`, the rest of those being clean. `asked` is one picture
    without and with the trigger. `not_shown` are sentences on what this demo does not show. `run` is the
    folder of the scan as a user would type it, `made_by` the command. `never`, `poisoned` and `after` are
    the three models; `others` follow them in the table (a drop at random, with `--controls`).
    """

    pairs: int
    planted: int
    dropped: int
    found: int
    target: str
    clean: Picture
    planted_pair: Picture
    box: Box
    trigger: Picture
    trigger_note: str
    never: ModelRow
    poisoned: ModelRow
    after: ModelRow
    classes: int
    auroc: float
    average_precision: float
    made_by: str
    run: str
    seed: int
    seconds: float
    machine: str
    finished: str
    version: str
    asked: tuple[Answers, Answers] | None = None
    others: tuple[ModelRow, ...] = ()
    not_shown: tuple[str, ...] = ()
    links: tuple[Link, ...] = (
        Link("The full report of this scan", "report.html"),
        Link("Every pair with its score", "scores.parquet"),
    )


def render(page: DemoPage) -> str:
    """Return the demo's page as one HTML file. Raises ValueError for counts or links that cannot be."""
    if not 0 <= page.found <= min(page.planted, page.dropped) or page.dropped > page.pairs:
        raise ValueError(f"{page.found} of {page.planted} planted pairs cannot be in {page.dropped} dropped.")
    for link in page.links:
        if not _LOCAL.fullmatch(link.path) or ".." in link.path:
            raise ValueError(f"{link.path!r} is not a file beside the page.")
    mistaken = page.dropped - page.found
    values: dict[str, Any] = {
        "page": page,
        "headline": headline(page),
        "models": (page.never, page.poisoned, page.after, *page.others),
        "commands": _commands(page),
        "mistaken": mistaken,
        "missed": page.planted - page.found,
        # One square a pair, as long as the squares can be counted.
        "units": page.planted + mistaken <= MOST_UNITS,
    }
    return assembled("demo.html", STYLES, None, values)


def headline(page: DemoPage) -> str:
    """Return the demo's outcome in two sentences, whichever way it went."""
    before, after = percent(page.poisoned.asr), percent(page.after.asr)
    how = "fell" if page.after.asr < page.poisoned.asr else "went"
    were = "was" if page.found == 1 else "were"
    found = f"Of {count(page.planted)} planted pairs {count(page.found)} {were} found."
    return f"{found} Attack success {how} from {before} to {after}."


def _commands(page: DemoPage) -> list[tuple[str, str]]:
    """Only commands that exist, with what to put in their capital words said beside them."""
    share = page.dropped / page.pairs
    return [
        ("Your own set, a folder of shards or a folder with a table", "bezoar scan FOLDER --to runs/mine"),
        (
            "This set without what the scan named",
            f"bezoar clean {shlex.quote(page.run)} --share {share:g} --to clean",
        ),
        ("The same story from another seed", f"bezoar demo --seed {page.seed + 1} --to runs/again"),
    ]
