"""`bezoar demo --to DIR`: the whole story on generated pairs."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.cli.parser import whole_number
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of demo."""
    options.output(parser)
    parser.add_argument("--controls", action="store_true", help="retrain too after as many drops at random")
    parser.add_argument("--pairs", type=whole_number(), default=8000, metavar="N", help="how many are drawn")
    parser.add_argument("--planted", type=whole_number(), default=120, metavar="N", help="how many are planted")
    options.refused(parser, "--limit", "the demo draws its pairs; --pairs N says how many")
    options.seed(parser)
    options.device(parser)


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Tell the story."""
    from bezoar.demo import demo

    return demo(
        to=asked.to,
        seed=asked.seed,
        controls=asked.controls,
        pairs=asked.pairs,
        planted=asked.planted,
        device=asked.device,
        force=asked.force,
        progress=progress,
    )
