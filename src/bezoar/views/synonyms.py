"""Other words for a word: from a file, from NLTK's WordNet if it is there, or none.

* Words and synonyms are lower-case letters (`letters`); a word is not its own synonym; synonyms are sorted.
* An inflected form that is not listed has its base form and that one's synonyms, as in WordNet.
* Nothing is downloaded, and what was asked for by name is never replaced by something else.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bezoar.run import BROKEN_DATA, BezoarError
from bezoar.views.letters import letters

SYNONYMS = "synonyms.txt"
IRREGULAR = "irregular.txt"
ENDINGS = (("s", ""), ("es", ""), ("ies", "y"), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"))
SHORTEST_BASE = 3


@dataclass(frozen=True)
class Synonyms:
    """What to ask for synonyms; `found` says in a phrase where they come from."""

    found: str
    look_up: Callable[[str], tuple[str, ...]]

    def of(self, word: str) -> tuple[str, ...]:
        """Return the synonyms of a lower-case word, sorted, some of several words; empty where none are known."""
        return self.look_up(word)


def open_synonyms(source: Path | None = None) -> Synonyms:
    """Open synonyms in `source`: a folder with `synonyms.txt` (and `irregular.txt`), or such a file.

    Lines are a word, a tab and words parted by commas; in `irregular.txt` an inflected form, a tab and its base.
    Without a source: BEZOAR_SYNONYMS, else `wordnet` in the folder BEZOAR_DATA, else NLTK's WordNet where it is
    installed, else no synonyms. Raises `BezoarError` for a source that is not there and for a broken line.
    """
    if source is not None:
        return _from_files(source)
    if named := os.environ.get("BEZOAR_SYNONYMS"):
        return _from_files(Path(named))
    data = os.environ.get("BEZOAR_DATA")
    if data and (Path(data) / "wordnet").is_dir():
        return _from_files(Path(data) / "wordnet")
    corpus = _nltk()
    if corpus is not None:
        return Synonyms("synonyms from NLTK's WordNet", functools.cache(lambda word: _lemmas(corpus, word)))
    return Synonyms("no synonyms found: captions are only swapped and thinned", lambda _: ())


def _from_files(source: Path) -> Synonyms:
    path = source / SYNONYMS if source.is_dir() else source
    if not path.is_file():
        raise BezoarError(
            f"There are no synonyms at {path}.", f"Name a folder with {SYNONYMS}, or set BEZOAR_SYNONYMS to one."
        )
    table = _table(path)
    irregular = path.parent / IRREGULAR
    bases = _table(irregular) if irregular.is_file() else {}

    def look_up(word: str) -> tuple[str, ...]:
        forms = [word, *bases.get(word, ()), *_regular(word)]
        base = next((form for form in forms if form in table), None)
        return _tidy([base, *table[base]], word) if base else ()

    return Synonyms(f"synonyms of {len(table):,} words from {path}", functools.cache(look_up))


def _table(path: Path) -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for number, line in _lines(path):
        word, _, others = line.partition("\t")
        listed = tuple(other.strip() for other in others.split(",") if other.strip())
        if not word.strip() or not listed:
            raise BezoarError(
                f"Line {number} of {path} is not a word, a tab and words parted by commas.",
                "Correct or remove the line.",
                BROKEN_DATA,
            )
        word = word.strip().lower()
        table[word] = table.get(word, ()) + listed
    return table


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    for number, raw in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r")
        except UnicodeDecodeError:
            raise BezoarError(
                f"Line {number} of {path} is not UTF-8.", "Save the file as UTF-8.", BROKEN_DATA
            ) from None
        if line.strip():
            yield number, line


def _regular(word: str) -> Iterator[str]:
    """Base forms that an English ending may hide."""
    for ending, instead in ENDINGS:
        base = word.removesuffix(ending) + instead
        if word.endswith(ending) and len(base) >= SHORTEST_BASE:
            yield base


def _tidy(phrases: Iterable[str], word: str) -> tuple[str, ...]:
    return tuple(sorted({letters(phrase) for phrase in phrases} - {"", word}))


def _nltk() -> Any:
    """NLTK's WordNet, or None where NLTK or the corpus is missing."""
    try:
        corpus = importlib.import_module("nltk.corpus").wordnet
        corpus.ensure_loaded()
    except (ImportError, LookupError):
        return None
    return corpus


def _lemmas(corpus: Any, word: str) -> tuple[str, ...]:
    names = (lemma.name() for sense in corpus.synsets(word) for lemma in sense.lemmas())
    return _tidy((name.replace("_", " ") for name in names), word)
