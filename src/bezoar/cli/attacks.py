"""`bezoar attacks`: the table of attacks."""

from __future__ import annotations

import argparse

from bezoar.cli.tables import listing
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take none of its own."""


def call(_asked: argparse.Namespace, _progress: Progress) -> Answer:
    """List the attacks."""
    from bezoar.attacks import ATTACKS

    return listing((attack, attack.parameters) for attack in ATTACKS)
