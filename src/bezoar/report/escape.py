"""The one door from data to markup.

* Captions, keys, shard and file names come from strangers: they enter a page as element text only.
* What cannot be seen is written out: a right-to-left override becomes a visible U+202E.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

LONGEST = 300
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def esc(caption: str, words: Sequence[str] = ()) -> Markup:
    """Return a caption as safe markup: cut, words marked, escaped, invisible characters written out.

    The caption is cut at 300 characters; `words` are searched in the raw text, whole and without case,
    a plural ending included. Control, format, private-use, surrogate and line-separator characters are
    shown as U+XXXX.
    """
    text = caption[:LONGEST]
    pieces: list[str] = []
    for piece, marked in _split(text, words):
        shown = _written_out(piece)
        pieces.append(f"<mark>{shown}</mark>" if marked else shown)
    left = len(caption) - len(text)
    if left:
        pieces.append(f'<span class="cut"> … {left:,} more character{"" if left == 1 else "s"}</span>')
    return Markup("".join(pieces))  # noqa: S704 - every piece went through escape


def visible(text: str) -> str:
    """Return plain text, still to be escaped, with every invisible character written as U+XXXX."""
    return "".join(f"U+{ord(c):04X}" if _hidden(c) else c for c in text)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _written_out(text: str) -> str:
    return "".join(f'<span class="ctl">U+{ord(c):04X}</span>' if _hidden(c) else str(escape(c)) for c in text)


def _split(text: str, words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    known = [re.escape(word) for word in sorted(words, key=len, reverse=True) if word.strip()]
    if not known:
        yield text, False
        return
    at = 0
    for match in re.finditer(rf"(?<!\w)(?:{'|'.join(known)})(?:e?s)?(?!\w)", text, re.IGNORECASE):
        yield text[at : match.start()], False
        yield match.group(), True
        at = match.end()
    yield text[at:], False
