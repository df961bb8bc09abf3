"""How a number was measured, in words: `what: how; what: how`. Whoever has them can measure it again."""

from __future__ import annotations

from typing import Any

from bezoar.attacks.triggers import Chain, Trigger, Word, describe

_LONGEST = 40
SUCCESS = "the best acceptable answer is among the first k, ranks start at 1, a tie counts against it"


def protocol(**parts: object) -> str:
    """Return the parts that are not None in their order, underscores as spaces."""
    return "; ".join(f"{name.replace('_', ' ')}: {part}" for name, part in parts.items() if part is not None)


def spelt(trigger: Trigger | Word) -> str:
    """Return a trigger with all its parameters: patch(size=0.15625, margin=0.03125, seed=0)."""
    if isinstance(trigger, Chain):
        return " then ".join(spelt(one) for one in trigger.triggers)
    values = describe(trigger)
    kind = values.pop("kind")
    return f"{kind}({', '.join(f'{name}={_short(value)}' for name, value in values.items())})"


def codec(jpeg: int | None) -> str:
    """Return what test pictures went through with the trigger on."""
    return "png" if jpeg is None else f"jpeg={jpeg}"


def among(items: int, word: str) -> str:
    """(1, "picture") -> "1 picture"; (8000, "picture") -> "8,000 pictures"; (2, "class") -> "2 classes"."""
    plural = f"{word}es" if word.endswith("s") else f"{word}s"
    return f"{items:,} {word if items == 1 else plural}"


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
