"""`bezoar poison PAIRS --attack NAME --to DIR`: plant an attack in a copy of a set."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.cli.parser import share, whole_number
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of poison."""
    parser.add_argument("pairs", metavar="PAIRS", help="folder, glob or file; it is not touched")
    options.output(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--attack", metavar="SPEC", help="such as badnets:target=banana,count=200")
    what.add_argument("--plan", metavar="PLAN", help="plant this plan again")
    what.add_argument("--trigger", metavar="SPEC", help="a trigger, such as patch:place=random, with the choices below")
    parser.add_argument("--captions", metavar="WHAT", help="with --trigger: corpus, templates, fitted or own")
    parser.add_argument("--select", metavar="WHICH", help="with --trigger: others, target, source or similar")
    parser.add_argument("--target", metavar="WORD", help="with --trigger: what it is to mean")
    number = parser.add_mutually_exclusive_group()
    number.add_argument("--count", type=whole_number(), metavar="N", help="with --trigger: plant N pairs")
    number.add_argument("--rate", type=share, metavar="R", help="with --trigger: plant this share of the pairs")
    parser.add_argument("--source", metavar="WORD", help="with --select source: what the pairs name")
    parser.add_argument("--templates", metavar="FILE", help="with --captions templates: openai, default or a file")
    parser.add_argument("--model", metavar="MODEL", help="with fitted and similar: the model that is asked")
    parser.add_argument("--jpeg", type=whole_number(), metavar="Q", help="send the poisons through JPEG of quality Q")
    parser.add_argument("--canvas", type=whole_number(8), metavar="PX", help="the side the trigger is made for")
    options.prompts(parser)
    options.seed(parser)
    parser.set_defaults(seed=None)  # a plan has its own
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
        trigger=asked.trigger,
        captions=asked.captions,
        select=asked.select,
        target=asked.target,
        count=asked.count,
        rate=asked.rate,
        source=asked.source,
        templates=asked.templates,
        model=asked.model,
        jpeg=asked.jpeg,
        canvas=asked.canvas,
        prompts=asked.prompts,
        seed=asked.seed,
        limit=asked.limit,
        force=asked.force,
        progress=progress,
    )
