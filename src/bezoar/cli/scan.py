"""`bezoar scan PAIRS --to RUN`: find the pairs that were planted."""

from __future__ import annotations

import argparse

from bezoar.cli import options
from bezoar.cli.parser import names, positive, share, whole_number
from bezoar.run import Answer, Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of scan."""
    parser.add_argument("pairs", nargs="?", metavar="PAIRS", help="folder, glob or file; none with --embeddings")
    options.output(parser)
    parser.add_argument("--model", metavar="MODEL", help="a model trained on these pairs; none: one is trained")
    parser.add_argument("--embeddings", metavar="DIR", help="vectors in the clip-retrieval layout")
    parser.add_argument("--independent", metavar="MODEL", help="one that never saw these pairs, for cosine-filter")
    options.plan(parser, "the truth to judge the scan by")
    options.prompts(parser)
    parser.add_argument(
        "--detectors", type=names, metavar="A,B", help="further columns: all quick ones, or such as slof,dao:text:unit"
    )
    parser.add_argument("--max-rate", type=share, metavar="R", help="the largest rate to be seen (about 0.097)")
    parser.add_argument("--k", type=whole_number(), metavar="N", help="neighbours of each pair (256)")
    parser.add_argument("--reference", type=whole_number(), metavar="M", help="pairs of the reference sample (2048)")
    parser.add_argument("--minutes", type=positive, metavar="T", help="how long training and scan may take (10)")
    parser.add_argument("--rung", type=whole_number(0), metavar="N", help="replay a size that --minutes chose")
    parser.add_argument("--quick", action="store_true", help="pixels and words alone, in seconds, without a model")
    parser.add_argument("--power", action="store_true", help="plant canaries for the model and tell how many are found")
    parser.add_argument("--fail-on-findings", action="store_true", help="exit with 4 if a pair is flagged")
    options.seed(parser)
    options.device(parser)
    options.limit(parser)


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Scan."""
    from bezoar.jobs.scan import scan

    return scan(
        asked.pairs,
        to=asked.to,
        model=asked.model,
        embeddings=asked.embeddings,
        independent=asked.independent,
        plan=asked.plan,
        detectors=asked.detectors,
        max_rate=asked.max_rate,
        k=asked.k,
        reference=asked.reference,
        minutes=asked.minutes,
        rung=asked.rung,
        power=asked.power,
        quick=asked.quick,
        prompts=asked.prompts,
        seed=asked.seed,
        device=asked.device,
        limit=asked.limit,
        force=asked.force,
        progress=progress,
    )
