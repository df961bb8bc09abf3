"""Untrusted text on a terminal: captions, keys and file names are never echoed raw.

* Characters that steer the terminal, turn the reading direction or cannot be seen are shown as `\\u202e`.
* A cut falls between characters, never inside such an escape, and is marked by "…".
"""

from __future__ import annotations

import unicodedata

# Control, format (all bidirectional marks), surrogate, private, unassigned, line and paragraph separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str, width: int | None = None) -> str:
    """Return `text` as one harmless line of at most `width` terminal cells (None: not cut)."""
    shown = [_shown(character) for character in text]
    if width is None or cells("".join(shown)) <= width:
        return "".join(shown)
    kept, used = [], 1
    for piece in shown:
        used += cells(piece)
        if used > width:
            break
        kept.append(piece)
    return "".join(kept) + "…" if width > 0 else ""


def cells(text: str) -> int:
    """Return how many cells of a terminal `text` takes: two for wide characters, none for combining ones."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _shown(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
