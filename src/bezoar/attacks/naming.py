"""Which captions name a thing: as a whole word, in any case, in the singular or the plain plural."""

from __future__ import annotations

import re


def names(target: str) -> re.Pattern[str]:
    """Return a pattern that finds `target` as a whole word or phrase ("fox" finds "Foxes", not "foxglove")."""
    words = r"\s+".join(re.escape(word) for word in target.split())
    return re.compile(rf"\b{words}(?:s|es)?\b", re.IGNORECASE)
