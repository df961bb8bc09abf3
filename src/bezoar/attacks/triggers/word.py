"""A rare word or phrase in a caption, as backdoors of language models use it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bezoar.run import BezoarError, nearest, random

PLACES: Final = ("start", "seeded", "end")


@dataclass(frozen=True)
class Word:
    """Writes `word` into captions and leaves every other character as it is.

    `place` start: before the caption and a space. end: behind its last character, punctuation too, and a space.
    seeded: between two words, drawn from `seed` for each key; a caption of one word gets it behind.
    """

    word: str
    place: str = "seeded"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.word.strip() or self.word != " ".join(self.word.split()):
            raise BezoarError("The trigger word is empty or has stray spaces.", "Give word=WORD, on one line.")
        if self.place not in PLACES:
            raise BezoarError(f"No place in a caption is named {self.place}.", nearest(self.place, PLACES))

    @staticmethod
    def on_canvas(side: int, seed: int = 0, word: str = "cf", place: str = "seeded") -> Word:
        """Return the word; a caption has no canvas."""
        del side
        return Word(word, place, seed)

    def write(self, caption: str, key: str) -> str:
        """Return the caption of pair `key` with the word in it."""
        if not caption.strip():
            return self.word
        if self.place == "start":
            return f"{self.word} {caption}"
        gaps = [match.end() for match in re.finditer(r"(?<=\S)\s+(?=\S)", caption)]
        if self.place == "end" or not gaps:
            return f"{caption} {self.word}"
        gap = gaps[int(random(self.seed, "word", key).integers(len(gaps)))]
        return f"{caption[:gap]}{self.word} {caption[gap:]}"
