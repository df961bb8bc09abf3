"""The command line: arguments in, one call, one answer printed.

* One module a verb, loaded only when that verb is called: `arguments(parser)` names its options, `call(asked,
  progress)` hands them to its job. No logic here.
* argparse, not typer: it starts in 7 ms where typer takes 65 ms, and its errors can be made our sentences.
* The answer goes to stdout, all else to stderr; with `--json` the answer is one object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """A row of the table: the word that is typed, its module in this room, one sentence, its group."""

    name: str
    module: str
    summary: str
    group: str


VERBS = (
    Verb("scan", "scan", "Find the pairs of a set that were planted.", "Find and drop"),
    Verb("clean", "clean", "Copy a scanned set without its suspicious pairs.", "Find and drop"),
    Verb("train", "train", "Train a CLIP model on pairs.", "Models"),
    Verb("repair", "repair", "Go on training a poisoned model until its backdoor is gone.", "Models"),
    Verb("evaluate", "evaluate", "Measure a model: zero-shot accuracy and attack success.", "Models"),
    Verb("embed", "embed", "Write the image and text vectors of pairs by a model.", "Models"),
    Verb("poison", "poison", "Plant an attack in a copy of a set.", "Laboratory"),
    Verb("demo", "demo", "Poison, train, scan, clean and retrain generated pairs, in minutes.", "Laboratory"),
    Verb("attacks", "attacks", "List the attacks that can be planted.", "Tables"),
    Verb("detectors", "detectors", "List the detectors that a scan can use.", "Tables"),
    Verb("recipes", "recipes", "List the ways to train.", "Tables"),
    Verb("doctor", "doctor", "Say what is installed, which device, which caches, how fast.", "This machine"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command (of `sys.argv` by default) and return its exit code."""
    import sys

    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("--help", "-h", "help"):
        return _print(_help())
    if words[0] == "--version":
        from bezoar import __version__

        return _print(f"bezoar {__version__}")
    from bezoar.cli.command import run_command

    return run_command(VERBS, words[0], words[1:])


def _help() -> str:
    lines = ["bezoar tells you which pairs of a CLIP training set were planted, and gives back the rest.", ""]
    lines += ["usage: bezoar VERB …        bezoar VERB --help tells its options"]
    for group in dict.fromkeys(verb.group for verb in VERBS):
        lines += ["", group]
        lines += [f"  {verb.name:<10} {verb.summary}" for verb in VERBS if verb.group == group]
    lines += ["", "The story in one command: bezoar demo --to runs/demo"]
    return "\n".join(lines)


def _print(text: str) -> int:
    from bezoar.cli.output import print_lines

    print_lines([text])
    return 0
