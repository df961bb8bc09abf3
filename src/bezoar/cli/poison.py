"""`bezoar poison PAIRS --attack NAME --to DIR`: plant an attack in a copy of a set."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.cli.parser import whole_number
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of poison."""
    parser.add_argument("pairs", metavar="PAIRS", help="folder, glob or file; it is not touched")
    options.output(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--attack", metavar="SPEC", help="such as badnets:target=banana,count=200")
    what.add_argument("--plan", metavar="PLAN", help="plant this plan again")
    parser.add_argument("--canvas", type=whole_number(8), metavar="PX", help="the side the trigger is made for")
    options.prompts(parser)
    options.seed(parser)
    options.limit(parser)
    options.without_effect(parser, "--device")


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Poison."""
    from bezoar.jobs.poison import poison

    return poison(
        asked.pairs,
        to=asked.to,
        attack=asked.attack,
        plan=asked.plan,
        canvas=asked.canvas,
        prompts=asked.prompts,
        seed=asked.seed,
        limit=asked.limit,
        force=asked.force,
        progress=progress,
    )
