"""The options that verbs share, so that each reads the same wherever it stands."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from bezoar.cli.parser import whole_number


def every_verb(parser: argparse.ArgumentParser) -> None:
    """Add what each verb takes: --json and --quiet."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress; one line of answer")


def output(parser: argparse.ArgumentParser) -> None:
    """Add --to and --force."""
    parser.add_argument("--to", metavar="DIR", required=True, help="the folder to make; it may be resumed")
    parser.add_argument("--force", action="store_true", help="replace what another run left in the folder")


def seed(parser: argparse.ArgumentParser) -> None:
    """Add --seed."""
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="all chance comes from it")


def device(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where models run")


def limit(parser: argparse.ArgumentParser) -> None:
    """Add --limit."""
    parser.add_argument("--limit", type=whole_number(), metavar="N", help="use the first N pairs only")


def prompts(parser: argparse.ArgumentParser) -> None:
    """Add --prompts."""
    parser.add_argument(
        "--prompts",
        metavar="FILE",
        help="captions for labelled pairs: default, openai, or a file with a template a line",
    )


def plan(parser: argparse.ArgumentParser, use: str) -> None:
    """Add --plan."""
    parser.add_argument("--plan", metavar="PLAN", help=use)


def without_effect(parser: argparse.ArgumentParser, *options: str) -> None:
    """Accept options that every verb takes and this one has no use for."""
    for option in options:
        parser.add_argument(option, metavar="X", help="accepted as everywhere; nothing here depends on it")


def refused(parser: argparse.ArgumentParser, option: str, why: str) -> None:
    """Refuse an option of other verbs with a reason, where to ignore it would do harm."""

    class Refuse(argparse.Action):
        def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
            parser.error(f"argument {option}: {why}")

    parser.add_argument(option, action=Refuse, help=argparse.SUPPRESS)
