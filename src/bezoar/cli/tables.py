"""How the tables of methods are listed: a name and a sentence each, and the paper below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from bezoar.run import Answer


class Row(Protocol):
    """What each table's entries have."""

    @property
    def name(self) -> str:
        """Lower case with hyphens."""
        ...

    @property
    def paper(self) -> str:
        """Where it was published."""
        ...

    @property
    def summary(self) -> str:
        """One sentence."""
        ...


def listing(entries: Iterable[tuple[Row, Mapping[str, Any]]], notes: Mapping[str, str] | None = None) -> Answer:
    """Return the answer for rows and their parameters; `notes`, by name, stand below those that have one."""
    rows = [
        {"name": row.name, "paper": row.paper, "summary": row.summary, "parameters": dict(parameters)}
        for row, parameters in entries
    ]
    width = max((len(row["name"]) for row in rows), default=0)
    lines = []
    for row in rows:
        lines += [f"{row['name']:<{width}}  {row['summary']}", f"{'':<{width}}  {row['paper']}"]
        note = (notes or {}).get(str(row["name"]))
        lines += [f"{'':<{width}}  {note}"] if note else []
    return Answer({"rows": rows}, lines)
