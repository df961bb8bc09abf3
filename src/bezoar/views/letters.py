"""Texts reduced to words of lower-case letters, in any script."""

from __future__ import annotations

import html
import unicodedata

HYPHENS = "-‐‑–—"
ORDINALS = "ªº"  # letters to Unicode, but bare signs of numbers here


def letters(text: str) -> str:
    """Return `text` in lower case with letters only: hyphens become spaces, all else goes, spaces are single.

    Marks stay (unicode category M): without its vowel signs a word in Devanagari would be another word. Entities and
    wrongly decoded letters ("cafÃ©") are repaired first, as CLIP's tokenizer would: without its signs the rest
    could not be.
    """
    plain = html.unescape(html.unescape(text)) if "&" in text else text
    return " ".join("".join(map(_kept, _repaired(plain).lower())).split())


def steady(text: str) -> bool:
    """Whether the repair that CLIP's tokenizer makes treats each word as it would treat it alone.

    It does not where neighbouring words look wrongly decoded together: then their tokens cannot be known beforehand.
    """
    return text.isascii() or _repaired(text) == " ".join(map(_repaired, text.split()))


def _repaired(text: str) -> str:
    if text.isascii():
        return text
    from ftfy import fix_text  # open_clip's tokenizer brings it

    return fix_text(text)


def _kept(sign: str) -> str:
    if sign in HYPHENS or sign.isspace():
        return " "
    letter = sign.isalpha() and sign not in ORDINALS
    return sign if letter or unicodedata.category(sign).startswith("M") else ""
