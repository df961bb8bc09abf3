"""`bezoar evaluate MODEL --pairs PAIRS --to DIR`: measure a model."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of evaluate."""
    parser.add_argument("model", metavar="MODEL", help="a run, a folder of open_clip, hf-hub:ID, or ARCH:FILE")
    options.output(parser)
    parser.add_argument("--pairs", metavar="PAIRS", required=True, help="the pairs to measure on")
    options.plan(parser, "measure the success of this attack too")
    options.prompts(parser)
    options.seed(parser)
    options.device(parser)
    options.limit(parser)


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Evaluate."""
    from bezoar.jobs.evaluate import evaluate

    return evaluate(
        asked.model,
        to=asked.to,
        pairs=asked.pairs,
        plan=asked.plan,
        prompts=asked.prompts,
        seed=asked.seed,
        device=asked.device,
        limit=asked.limit,
        force=asked.force,
        progress=progress,
    )
