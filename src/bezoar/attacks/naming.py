"""Which captions name a thing: as a whole word, in any case, in the singular or the plural.

English plurals follow a few rules and a short table: a library for them costs a second at start.
"""

from __future__ import annotations

import re

from bezoar.run import BezoarError

_IRREGULAR = {
    "child": "children",
    "foot": "feet",
    "goose": "geese",
    "mouse": "mice",
    "ox": "oxen",
    "person": "people",
    "tooth": "teeth",
}
# What a word ends with, and what its plural ends with instead; the first that fits holds.
_ENDINGS = (("man", "men"), ("fe", "ves"), ("f", "ves"), ("y", "ies"))


def names(target: str) -> re.Pattern[str]:
    """Return a pattern that finds `target` as a whole word or phrase ("fox" finds "Foxes", not "foxglove")."""
    if not target.strip():
        raise BezoarError("A target without a word is none.", "Name a word or a class.")
    *before, last = target.split()
    forms = "|".join(re.escape(form) for form in _forms(last.lower()))
    words = "".join(re.escape(word) + r"\s+" for word in before)
    # \b asks for a letter or digit at the word's own end, which a target such as "C++" has not.
    return re.compile(rf"(?<!\w){words}(?:{forms})(?!\w)", re.IGNORECASE)


def _forms(word: str) -> list[str]:
    """Return the word, its plain plurals, and the plural that its ending or the table asks for."""
    forms = [word, f"{word}s", f"{word}es"]
    if word in _IRREGULAR:
        forms.append(_IRREGULAR[word])
    for ending, plural in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            forms.append(word.removesuffix(ending) + plural)
            break
    return forms
