"""`bezoar repair MODEL --recipe X --pairs CLEAN --to RUN`: go on training a model until its backdoor is gone."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.cli.parser import positive, share, whole_number
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of repair."""
    parser.add_argument("model", metavar="MODEL", help="a run, a folder of open_clip, hf-hub:ID, or ARCH:FILE")
    options.output(parser)
    parser.add_argument("--recipe", metavar="NAME", required=True, help="how to repair; bezoar recipes lists them")
    parser.add_argument("--pairs", metavar="PAIRS", required=True, help="clean pairs; those that were scanned: unlearn")
    parser.add_argument("--scan", metavar="RUN", help="the scan that says which pairs to unlearn")
    options.plan(parser, "the attack whose trigger is known, for task-arithmetic")
    parser.add_argument("--scale", default="data", metavar="S", help="constants for this data, or paper: the paper's")
    parser.add_argument("--epochs", type=whole_number(), metavar="N", help="passes over the pairs")
    parser.add_argument("--learning-rate", type=positive, metavar="R", help="at the top of the schedule")
    parser.add_argument("--batch", type=whole_number(2), metavar="N", help="pairs of a step")
    parser.add_argument("--strength", type=positive, metavar="X", help="the one constant that trades harm for cure")
    parser.add_argument("--share", type=share, metavar="S", help="of the scanned pairs, how many are unlearnt")
    parser.add_argument(
        "--bound", type=share, default=0.05, metavar="B", help="stop where held-out figures fall by more; 0.05"
    )
    parser.add_argument(
        "--hold-out", type=share, default=0.1, metavar="S", help="the share of the pairs to judge by; 0.1"
    )
    options.prompts(parser)
    options.seed(parser)
    options.device(parser)
    options.limit(parser)


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Repair."""
    from bezoar.jobs.repair import repair

    return repair(
        asked.model,
        to=asked.to,
        recipe=asked.recipe,
        pairs=asked.pairs,
        scan=asked.scan,
        plan=asked.plan,
        scale=asked.scale,
        epochs=asked.epochs,
        learning_rate=asked.learning_rate,
        batch=asked.batch,
        strength=asked.strength,
        share=asked.share,
        bound=asked.bound,
        hold_out=asked.hold_out,
        seed=asked.seed,
        device=asked.device,
        limit=asked.limit,
        prompts=asked.prompts,
        force=asked.force,
        progress=progress,
    )
