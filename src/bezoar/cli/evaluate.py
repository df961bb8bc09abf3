"""`bezoar evaluate MODEL --images LABELLED --pairs PAIRS --to DIR`: measure a model."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.cli.parser import whole_number
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of evaluate."""
    parser.add_argument("model", metavar="MODEL", help="a run, a folder of open_clip, hf-hub:ID, or ARCH:FILE")
    options.output(parser)
    parser.add_argument("--images", metavar="LABELLED", help="labelled pictures: shards, or a folder for each class")
    parser.add_argument("--pairs", metavar="PAIRS", help="pictures with captions; with labels, they serve as images")
    options.plan(parser, "measure the success of this attack too")
    parser.add_argument("--planted", metavar="PAIRS", help="the set that the plan was made for, where it asks")
    parser.add_argument("--trigger", metavar="TRIGGER", help="check for this backdoor: a plan, or patch:size=0.1")
    parser.add_argument("--target", metavar="WORD", help="the class or phrase that the checked trigger leads to")
    parser.add_argument("--beside", metavar="MODEL", help="a model that was never poisoned, measured in the same way")
    parser.add_argument("--probe", metavar="LABELLED", help="training pictures of a linear probe")
    parser.add_argument("--jpeg", type=whole_number(), metavar="Q", help="send triggered pictures through JPEG, as 75")
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
        images=asked.images,
        plan=asked.plan,
        planted=asked.planted,
        trigger=asked.trigger,
        target=asked.target,
        beside=asked.beside,
        probe=asked.probe,
        jpeg=asked.jpeg,
        prompts=asked.prompts,
        seed=asked.seed,
        device=asked.device,
        limit=asked.limit,
        force=asked.force,
        progress=progress,
    )
