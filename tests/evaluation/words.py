"""What the tests of this room share and no fixture is."""

from __future__ import annotations

PROMPTS = ("a {}", "a picture of a {}", "there is a {}")


def pixels_of(bench):
    """The pictures of a bench as they are."""
    return bench.shown.decoded.batch(bench.shown.positions)


def by_name(rows):
    """Rows by their names."""
    assert len({row.name for row in rows}) == len(rows)
    return {row.name: row for row in rows}
