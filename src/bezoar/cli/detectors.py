"""`bezoar detectors`: the table of detectors."""

from __future__ import annotations

import argparse
from dataclasses import replace

from bezoar.cli.tables import listing
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take none of its own."""


def call(_asked: argparse.Namespace, _progress: Progress) -> Answer:
    """List the detectors."""
    from bezoar.detection.detector import CHEAP
    from bezoar.detection.detectors import TABLE

    slow = {
        row.name: f"Costs about {row.cost} forward passes a pair: run when named, not by all."
        for row in TABLE
        if row.cost > CHEAP
    }
    # Their defaults follow from the set; null stands for that.
    answer = listing(((row, dict.fromkeys(row.parameters)) for row in TABLE), slow)
    return replace(answer, summary={**answer.summary, "costs": {row.name: row.cost for row in TABLE}})
