"""`bezoar evaluate MODEL --images LABELLED --pairs PAIRS --to DIR`: measure a model."""

from __future__ import annotations

import argparse
from typing import Any

from bezoar.cli import options
from bezoar.cli.parser import positive, whole_number
from bezoar.run import Answer, BezoarError, Progress


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
    parser.add_argument(
        "--after-adaptation",
        dest="benign",
        metavar="BENIGN",
        help="go on training on these pairs: does the backdoor of --plan come back?",
    )
    parser.add_argument("--steps", type=whole_number(), metavar="N", help="for so long; that of the repair by default")
    parser.add_argument(
        "--learning-rate", type=positive, metavar="R", help="and so fast; that of the repair by default"
    )
    options.prompts(parser)
    options.seed(parser)
    options.device(parser)
    options.limit(parser)


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Evaluate."""
    if asked.benign is not None:
        return _after_adaptation(asked, progress)
    _refuse(asked, ("steps", "learning_rate"), "is for --after-adaptation", "Name benign pairs with it.")
    from bezoar.jobs.evaluate import evaluate

    return evaluate(
        asked.model,
        trigger=asked.trigger,
        target=asked.target,
        probe=asked.probe,
        **_common(asked),
        progress=progress,
    )


def _after_adaptation(asked: argparse.Namespace, progress: Progress) -> Answer:
    _refuse(asked, ("trigger", "target", "probe"), "does not go with --after-adaptation", "Leave it out.")
    if asked.plan is None:
        raise BezoarError("--after-adaptation asks whether an attack comes back.", "Name it: --plan.")
    from bezoar.jobs.adaptation import evaluate_after_adaptation

    return evaluate_after_adaptation(
        asked.model,
        benign=asked.benign,
        steps=asked.steps,
        learning_rate=asked.learning_rate,
        **_common(asked),
        progress=progress,
    )


def _common(asked: argparse.Namespace) -> dict[str, Any]:
    """Return what both ways of evaluating are asked alike."""
    names = (
        "to",
        "plan",
        "images",
        "pairs",
        "planted",
        "beside",
        "jpeg",
        "prompts",
        "seed",
        "device",
        "limit",
        "force",
    )
    return {name: getattr(asked, name) for name in names}


def _refuse(asked: argparse.Namespace, names: tuple[str, ...], why: str, do: str) -> None:
    for name in names:
        if getattr(asked, name) is not None:
            raise BezoarError(f"--{name.replace('_', '-')} {why}.", do)
