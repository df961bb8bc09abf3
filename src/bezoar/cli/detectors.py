"""`bezoar detectors`: the table of detectors."""

from __future__ import annotations

import argparse

from bezoar.cli.tables import listing
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take none of its own."""


def call(_asked: argparse.Namespace, _progress: Progress) -> Answer:
    """List the detectors."""
    from bezoar.detection.detectors import DETECTORS

    # Their defaults follow from the set; null stands for that.
    return listing((detector, dict.fromkeys(detector.parameters)) for detector in DETECTORS.values())
