"""One command from its words to its exit code: 0, 1 a bug, 2, 3, 4 findings, 130 stopped."""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Protocol, cast

from bezoar.cli import Verb
from bezoar.cli.interrupt import stoppable
from bezoar.cli.options import every_verb
from bezoar.cli.output import complain, print_lines
from bezoar.cli.parser import Parser
from bezoar.run import BROKEN_DATA, Answer, BezoarError, Progress, cache_folder, nearest, printable
from bezoar.run.folder import record_folder
from bezoar.run.progress import progress_on_stderr

BUG, WRONG_REQUEST, FINDINGS, STOPPED = 1, 2, 4, 130


class VerbModule(Protocol):
    """What each verb's module offers."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Name the verb's arguments."""
        ...

    def call(self, asked: argparse.Namespace, progress: Progress) -> Answer:
        """Do what was asked."""
        ...


def run_command(verbs: Sequence[Verb], name: str, words: Sequence[str]) -> int:
    """Run the verb `name` with the words behind it; print its answer or its one-line error."""
    asked = argparse.Namespace()
    try:
        with stoppable():
            verb = _find(verbs, name)
            module, parser = _load(verb)
            parser.parse_args(words, asked)
            # Whatever a library prints while it works is no part of the answer.
            with redirect_stdout(sys.stderr):
                answer = module.call(asked, progress_on_stderr(asked.quiet))
            _print_answer(answer, asked)
            findings = getattr(asked, "fail_on_findings", False) and answer.summary.get("flagged", 0) > 0
            return FINDINGS if findings else 0
    except SystemExit as end:  # --help
        return int(end.code or 0)
    except BezoarError as error:
        return _complain(error.what, error.do, error.code)
    except KeyboardInterrupt:
        made = getattr(asked, "to", None)
        complain("Stopped. What was finished is kept. The same command goes on from there." if made else "Stopped.")
        return STOPPED
    except MemoryError:
        return _complain("Out of memory.", "Use --limit, or a machine with more of it.", BROKEN_DATA)
    except Exception as error:
        return _environment(error) or _bug(asked)


def parser_of(verb: Verb) -> argparse.ArgumentParser:
    """Return what reads the words behind a verb."""
    return _load(verb)[1]


def _load(verb: Verb) -> tuple[VerbModule, Parser]:
    module = cast(VerbModule, importlib.import_module(f"bezoar.cli.{verb.module}"))
    parser = Parser(prog=f"bezoar {verb.name}", description=verb.summary)
    module.arguments(parser)
    every_verb(parser)
    return module, parser


def _find(verbs: Sequence[Verb], name: str) -> Verb:
    table = {verb.name: verb for verb in verbs}
    if name not in table:
        raise BezoarError(f"There is no verb {name!r}.", f"{nearest(name, list(table))} See bezoar --help.")
    return table[name]


def _print_answer(answer: Answer, asked: argparse.Namespace) -> None:
    if asked.json:
        print_lines([json.dumps(answer.summary, ensure_ascii=False, allow_nan=False)])
    elif asked.quiet:
        # A table is its own answer; of everything else the first line and the file are.
        table = "rows" in answer.summary and not answer.file
        first = ["  ".join(filter(None, (*answer.lines[:1], answer.file)))]
        print_lines(printable(line) for line in (answer.lines if table else first))
    else:
        print_lines(printable(line) for line in answer.lines)


def _complain(what: str, do: str, code: int) -> int:
    complain(printable(f"bezoar: {what} {do}".strip()))
    return code


def _environment(error: Exception) -> int:
    """Tell errors of the machine, which are nobody's bug, from ours (0)."""
    if not isinstance(error, OSError):
        return 0
    if error.errno == errno.ENOSPC:
        what = f"Disk full at {error.filename or 'the output folder'}."
        return _complain(what, "Free space and run the same command: what was finished is kept.", BROKEN_DATA)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        what = f"{error.filename or 'A file'}: {(error.strerror or 'refused').lower()}."
        return _complain(what, "Change its rights, or name another path.", WRONG_REQUEST)
    return 0


def _bug(asked: argparse.Namespace) -> int:
    told = traceback.format_exc()
    folder = record_folder(asked.to) if getattr(asked, "to", None) else None
    path = folder / "bug.txt" if folder else Path(cache_folder("bugs")) / f"{time.time_ns()}.txt"
    try:
        path.write_text(told, errors="backslashreplace")
        saved = f"Traceback saved in {path}; please open an issue with it."
    except OSError:
        complain(told)
        saved = "Please open an issue with the traceback above."
    return _complain("this is a bug in bezoar.", saved, BUG)
