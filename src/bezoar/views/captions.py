"""Training's random looks at captions: other words, the same meaning.

* A view is a pure function of the caption, the draw and the synonyms.
* It never makes a caption empty, and a caption that it cannot read (no letters) comes back as it was.
* `words` names beforehand every word that a view can bring, for a vocabulary that is cut to what occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from numpy.random import Generator

from bezoar.views.letters import letters, steady
from bezoar.views.synonyms import Synonyms

ALPHA = 0.1
DELETED = 0.1

FUNCTION_WORDS = """
i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers
herself it its itself they them their theirs themselves what which who whom this that these those am is are
was were be been being have has had having do does did doing a an the and but if or because as until while
of at by for with about against between into through during before after above below to from up down in out
on off over under again further then once here there when where why how all any both each few more most
other some such no nor not only own same so than too very s t can will just don should now
"""
STOP_WORDS = frozenset(FUNCTION_WORDS.split())


@dataclass(frozen=True)
class CaptionView:
    """A look at captions, and the words that it can bring."""

    name: str
    summary: str
    function: Callable[[str, Generator, Synonyms], str]
    words: Callable[[Iterable[str], Synonyms], list[str]]

    def __call__(self, caption: str, draw: Generator, synonyms: Synonyms) -> str:
        """Return the caption as this view shows it; the same draw gives the same words."""
        return self.function(caption, draw, synonyms)


def eda(caption: str, draw: Generator, synonyms: Synonyms) -> str:
    """Return the caption in lower-case letters after one of four small changes (Wei & Zou 2019, section 2).

    Synonym replacement, insertion of a synonym and swap touch a tenth of the words, at least one; deletion drops each
    word with probability 0.1. One of those that can be done is drawn, as in CleanCLIP and SafeCLIP. Without any, and
    for a word that has no synonym, only case and signs change.
    """
    words = letters(caption).split()
    if not words:
        return caption
    known = {word: _phrases(word, synonyms) for word in dict.fromkeys(words)}
    known = {word: phrases for word, phrases in known.items() if phrases}
    number = max(1, int(ALPHA * len(words)))
    doable: list[Callable[[], list[str]]] = []
    if known:
        doable.append(lambda: _replaced(words, known, number, draw))
        doable.append(lambda: _inserted(words, known, number, draw))
    if len(words) > 1:
        doable.append(lambda: _swapped(words, number, draw))
        doable.append(lambda: _thinned(words, draw))
    changed = " ".join(doable[draw.integers(len(doable))]() if doable else words)
    return changed if steady(changed) else caption


def eda_words(captions: Iterable[str], synonyms: Synonyms) -> list[str]:
    """Return texts, sorted, that together hold every word that `eda` can make of `captions`."""
    found: set[str] = set()
    for caption in dict.fromkeys(captions):
        words = letters(caption).split()
        found.update(words)
        found.update(part for word in words for phrase in _phrases(word, synonyms) for part in phrase.split())
        if not words or not caption.isascii():
            found.add(caption)  # what `eda` falls back to
    return sorted(found)


def _phrases(word: str, synonyms: Synonyms) -> tuple[str, ...]:
    return () if word in STOP_WORDS else synonyms.of(word)


def _replaced(words: list[str], known: dict[str, tuple[str, ...]], number: int, draw: Generator) -> list[str]:
    """Every occurrence of a drawn word becomes the same synonym."""
    candidates = list(known)
    chosen = [candidates[place] for place in draw.permutation(len(candidates))[:number]]
    instead = {word: _one_of(known[word], draw) for word in chosen}
    return [instead.get(word, word) for word in words]


def _inserted(words: list[str], known: dict[str, tuple[str, ...]], number: int, draw: Generator) -> list[str]:
    longer = list(words)
    candidates = [word for word in words if word in known]
    for _ in range(number):
        phrase = _one_of(known[_one_of(candidates, draw)], draw)
        longer.insert(int(draw.integers(len(longer) + 1)), phrase)
    return longer


def _swapped(words: list[str], number: int, draw: Generator) -> list[str]:
    other = list(words)
    for _ in range(number):
        first, second = draw.choice(len(other), 2, replace=False)
        other[first], other[second] = other[second], other[first]
    return other


def _thinned(words: list[str], draw: Generator) -> list[str]:
    stays = draw.random(len(words)) >= DELETED
    return [word for word, kept in zip(words, stays, strict=True) if kept] or [_one_of(words, draw)]


def _one_of(choices: list[str] | tuple[str, ...], draw: Generator) -> str:
    return choices[int(draw.integers(len(choices)))]


CAPTION_VIEWS: dict[str, CaptionView] = {
    view.name: view
    for view in (
        CaptionView("eda", "a synonym for a word, one more word, two swapped, or some left out", eda, eda_words),
    )
}
