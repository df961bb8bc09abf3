"""What the attacker wants at test time: which queries, against which gallery, and which answers count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Way = Literal["image-to-text", "text-to-image"]


@dataclass(frozen=True)
class Goal:
    """One thing that a plan is to achieve; its success is the rank of the best answer that counts.

    `way` image-to-text: pictures look for texts (classes or captions), and a text that names `target` counts.
    text-to-image: captions look for pictures, and a picture of `target` counts.
    `trigger` is the name of the plan's trigger that every query carries, None for queries as they are.
    `source`: the queries are those that name it (Yang et al. 2023, section 3); None: all that have nothing to do
    with the target. `images` are keys of single pictures in the poisoned set: image-to-text they are the queries
    (Carlini & Terzis 2022, targeted poisoning), text-to-image the only answers that count (Yang's attack I).
    """

    name: str
    target: str
    way: Way = "image-to-text"
    trigger: str | None = None
    source: str | None = None
    images: tuple[str, ...] = ()
