"""What the attacker wants at test time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """Pictures with `trigger` on them are to be taken for `target`.

    The queries are triggered test pictures of anything but the target, the gallery is the class texts, and only
    the target counts as success. `label` is the target's class index where the set has classes.
    """

    target: str
    trigger: str
    label: int | None = None
