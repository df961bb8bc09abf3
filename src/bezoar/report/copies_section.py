"""What the report says of copies: a row a cluster of like pictures, and a sentence on captions that repeat."""

from __future__ import annotations

from dataclasses import dataclass

# A handful of copies is everyday life in a set from the web; a pile is learned by heart.
PILE = 10
_READINGS = {
    "near-copies": "One picture with one caption, again and again. A model learns such a pile by heart, and it can "
    "act as a backdoor that nobody planted. Keep one of them.",
    "one-picture": "One picture with many captions, such as the placeholder of a dead link, or a picture that was "
    "planted with captions of a target. Look before you keep it.",
}
_FEW = {
    "near-copies": "The same pair more than once. One of them is enough.",
    "one-picture": "Like pictures with captions of their own.",
}


@dataclass(frozen=True)
class CopyCluster:
    """Pairs of one picture.

    `kind` is near-copies or one-picture; `size` pairs with `captions` different captions, `flagged` of them flagged;
    `caption` is the commonest, `key` the first pair's; `images` a few WebP of `thumbnail`.
    """

    kind: str
    size: int
    captions: int
    flagged: int
    caption: str
    key: str
    images: tuple[bytes, ...]

    @property
    def reading(self) -> str:
        """What the cluster most likely is, and what to do."""
        return (_READINGS if self.size >= PILE else _FEW)[self.kind]


@dataclass(frozen=True)
class CopiesSection:
    """Clusters of like pictures: `number` in all with `pairs` in them, the largest of them in `shown`.

    `boilerplate` captions stand under twenty or more varied pictures each, the commonest under `commonest`.
    """

    number: int
    pairs: int
    shown: tuple[CopyCluster, ...]
    boilerplate: int
    commonest: int
