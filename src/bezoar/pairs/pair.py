"""One sample of a set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """One image with its captions, as it lies in the set.

    `image` holds the undecoded bytes, `extension` their suffix ("png", "jpg" …),
    `label` a class index or None.
    """

    key: str
    image: bytes
    extension: str
    captions: tuple[str, ...]
    label: int | None = None
