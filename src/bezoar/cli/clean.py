"""`bezoar clean RUN --to DIR`: copy a scanned set without its suspicious pairs."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.cli.parser import share
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of clean."""
    parser.add_argument("run", metavar="RUN", help="the folder of a scan")
    options.output(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--share", type=share, metavar="S", help="drop this share, the most suspicious first")
    which.add_argument("--flagged", action="store_true", help="drop the pairs that the scan flagged")
    parser.add_argument("--pairs", metavar="PAIRS", help="where the pairs lie now, if they have moved")
    parser.add_argument("--keep-unreadable", action="store_true", help="keep pairs that cannot be read")
    parser.add_argument("--keep-removed", action="store_true", help="write what left into quarantine shards")
    parser.add_argument("--dry-run", action="store_true", help="say what would leave; write nothing")
    options.refused(parser, "--limit", "it would silently drop data from the cleaned set")
    options.without_effect(parser, "--seed", "--device")


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Clean."""
    from bezoar.jobs.clean import clean

    return clean(
        asked.run,
        to=asked.to,
        share=asked.share,
        flagged=asked.flagged,
        pairs=asked.pairs,
        keep_unreadable=asked.keep_unreadable,
        keep_removed=asked.keep_removed,
        dry_run=asked.dry_run,
        force=asked.force,
        progress=progress,
    )
