"""`bezoar embed PAIRS --model MODEL --to DIR`: write the vectors of pairs."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of embed."""
    parser.add_argument("pairs", metavar="PAIRS", help="folder, glob or file")
    options.output(parser)
    parser.add_argument(
        "--model",
        metavar="MODEL",
        required=True,
        help="a run, a folder of open_clip, hf-hub:ID, or ARCH:FILE",
    )
    options.prompts(parser)
    options.seed(parser)
    options.device(parser)
    options.limit(parser)


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Embed."""
    from bezoar.jobs.embed import embed

    return embed(
        asked.pairs,
        model=asked.model,
        to=asked.to,
        prompts=asked.prompts,
        seed=asked.seed,
        device=asked.device,
        limit=asked.limit,
        force=asked.force,
        progress=progress,
    )
