"""`bezoar train PAIRS --to RUN`: train a CLIP model on pairs."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.cli.parser import positive, whole_number
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of train."""
    parser.add_argument("pairs", metavar="PAIRS", help="folder, glob or file")
    options.output(parser)
    parser.add_argument("--recipe", default="clip", metavar="NAME", help="how to train; bezoar recipes lists them")
    parser.add_argument("--scan", metavar="RUN", help="filter-then-train: the scan that says what to drop")
    parser.add_argument("--scale", default="data", metavar="S", help="constants for this data, or paper: the paper's")
    parser.add_argument("--arch", metavar="NAME", help="an architecture of open_clip or of bezoar")
    parser.add_argument("--canvas", type=whole_number(8), metavar="PX", help="the side of the pictures it sees")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=whole_number(), metavar="N", help="passes over the pairs")
    length.add_argument("--minutes", type=positive, metavar="T", help="as many passes as fit in T minutes")
    options.plan(parser, "plant this plan while training")
    options.prompts(parser)
    parser.add_argument("--batch", type=whole_number(2), metavar="N", help="pairs of a step")
    parser.add_argument("--learning-rate", type=positive, metavar="R", help="at the top of the schedule")
    parser.add_argument("--precision", metavar="P", help="such as 32-true or bf16-mixed")
    parser.add_argument("--clip-gradients", type=positive, metavar="NORM", help="off by default")
    parser.add_argument("--augmentation", metavar="NAME", help="changes of the pictures; none by default")
    parser.add_argument("--views", metavar="HOW", help="fresh: random looks anew each epoch (default); or frozen")
    parser.add_argument(
        "--accumulate", type=whole_number(), metavar="N", help="a batch in N parts; batch norms see a part"
    )
    parser.add_argument("--mask-equal", action="store_true", help="pairs of equal captions are no negatives")
    parser.add_argument("--devices", type=whole_number(), default=1, metavar="N", help="processes of training")
    parser.add_argument("--from", dest="start", metavar="MODEL", help="start from this model's weights")
    parser.add_argument("--learn", metavar="TOWER", help="with --from: image or text, the other is frozen; or both")
    options.seed(parser)
    options.device(parser)
    options.limit(parser)


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Train."""
    from bezoar.jobs.train import train

    return train(
        asked.pairs,
        to=asked.to,
        recipe=asked.recipe,
        scan=asked.scan,
        scale=asked.scale,
        arch=asked.arch,
        canvas=asked.canvas,
        epochs=asked.epochs,
        minutes=asked.minutes,
        plan=asked.plan,
        prompts=asked.prompts,
        seed=asked.seed,
        device=asked.device,
        limit=asked.limit,
        batch=asked.batch,
        learning_rate=asked.learning_rate,
        precision=asked.precision,
        clip_gradients=asked.clip_gradients,
        augmentation=asked.augmentation,
        views=asked.views,
        accumulate=asked.accumulate,
        mask_equal=asked.mask_equal or None,
        devices=asked.devices,
        start=asked.start,
        learn=asked.learn,
        force=asked.force,
        progress=progress,
    )
