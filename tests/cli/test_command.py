from __future__ import annotations

import errno
import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bezoar.cli import VERBS, main
from bezoar.run import BROKEN_DATA, Answer, BezoarError, Run, Silent, printable

ENVIRONMENT = {**os.environ, "PYTHONPATH": "src"}

Job = Callable[..., Answer]
Put = Callable[[Job], None]


@pytest.fixture
def scan_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Put:
    """Put another job in the place of scan, so that only the frame is tested."""
    monkeypatch.setenv("BEZOAR_CACHE", str(tmp_path / "cache"))

    def put(job: Job) -> None:
        module = types.ModuleType("bezoar.jobs.scan")
        module.scan = job  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "bezoar.jobs.scan", module)

    return put


def answer(flagged: int = 2) -> Answer:
    return Answer({"flagged": flagged}, ["2 of 9 pairs.", "Report    r\u202eeport.html"], "report.html")


def failing(error: BaseException) -> Job:
    def job(*_: Any, **__: Any) -> Answer:
        raise error

    return job


def bezoar(*words: str, **how: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bezoar.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, **how)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom bezoar.cli import main\nmain(['--help'])\n"
        "heavy = {'torch', 'pyarrow', 'rich', 'numpy', 'PIL', 'sklearn', 'open_clip'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    for verb in VERBS:
        assert f"  {verb.name} " in done.stdout


def test_no_verb_loads_a_framework_before_it_is_called() -> None:
    code = (
        "import sys, importlib, argparse\nfrom bezoar.cli import VERBS\nimport bezoar.cli.command\n"
        "for verb in VERBS: importlib.import_module('bezoar.cli.' + verb.module)"
        ".arguments(argparse.ArgumentParser())\n"
        "heavy = {'torch', 'pyarrow', 'rich', 'sklearn', 'open_clip'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_explains_itself(verb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb.name, "--help"]) == 0
    told = capsys.readouterr().out
    assert verb.summary in told
    assert "--json" in told
    assert "--quiet" in told
    module = importlib.import_module(f"bezoar.cli.{verb.module}")
    assert callable(module.call)
    assert len([row for row in VERBS if row.name == verb.name]) == 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("bezoar 0.")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["scn"], "There is no verb 'scn'. Did you mean scan?"),
        (["sc\u202en"], "\\u202e"),
        (["--json"], "There is no verb '--json'."),
        (["scan"], "scan needs --to."),
        (["scan", "x", "--to", "r", "--limt", "3"], "Did you mean --limit?"),
        (["scan", "x", "--to", "r", "--limit", "0"], "--limit: '0' is not a whole number from 1 up."),
        (["scan", "x", "--to", "r", "--max-rate", "nan"], "--max-rate: 'nan' is not a share"),
        (["scan", "x", "--to", "r", "--minutes", "inf"], "--minutes: 'inf' is not a number above 0."),
        (["scan", "x", "--to", "r", "--seed", "-1"], "--seed"),
        (["scan", "x", "--to", "r", "--detectors", "a,,b"], "--detectors"),
        (["scan", "x", "--to", "r", "--device", "gpu"], "--device"),
        (["clean", "r", "--to", "d"], "clean needs --share or --flagged."),
        (["clean", "r", "--to", "d", "--flagged", "--share", "0.1"], "--share: not allowed with"),
        (["clean", "r", "--to", "d", "--flagged", "--limit", "9"], "silently drop data"),
        (["poison", "p", "--to", "d"], "poison needs --attack or --plan or --trigger."),
        (["train", "p", "--to", "d", "--epochs", "1", "--minutes", "1"], "--minutes: not allowed with"),
        (["evaluate", "m", "--to", "d", "--jpeg", "x"], "--jpeg: 'x' is not a whole number from 1 up."),
        (["embed", "p", "--to", "d"], "embed needs --model."),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_request_is_one_line_and_code_2(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("bezoar: ")
    assert err.count("\n") == 1
    assert told in err
    assert "--help" in err


def test_the_words_reach_the_job(scan_is: Put) -> None:
    seen: dict[str, Any] = {}

    def job(pairs: str, **named: Any) -> Answer:
        seen.update(named, pairs=pairs)
        return answer()

    scan_is(job)
    words = "scan set --to r --detectors slof,dao:text:unit --max-rate 0.01 --k 16 --seed 3 --limit 9 --quiet"
    assert main(words.split()) == 0
    assert isinstance(seen.pop("progress"), Silent)
    given = {
        "pairs": "set",
        "to": "r",
        "detectors": ["slof", "dao:text:unit"],
        "max_rate": 0.01,
        "k": 16,
        "seed": 3,
        "limit": 9,
        "device": "auto",
        "force": False,
        "power": False,
        "quick": False,
    }
    assert {key: value for key, value in seen.items() if value is not None} == given


def test_the_answer_alone_is_on_stdout(scan_is: Put, capsys: pytest.CaptureFixture[str]) -> None:
    def job(*_: Any, progress: Any, **__: Any) -> Answer:
        print("a library talks")
        progress.say("working")
        return answer()

    scan_is(job)
    assert main(["scan", "x", "--to", "r"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["2 of 9 pairs.", "Report    r\\u202eeport.html"]
    assert err.splitlines() == ["a library talks", "working"]
    assert main(["scan", "x", "--to", "r", "--quiet"]) == 0
    assert capsys.readouterr().out == "2 of 9 pairs.  report.html\n"
    assert main(["scan", "x", "--to", "r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"flagged": 2}


def test_findings_have_their_own_code(scan_is: Put) -> None:
    scan_is(lambda *_, **__: answer())
    assert main(["scan", "x", "--to", "r", "--fail-on-findings"]) == 4
    scan_is(lambda *_, **__: answer(flagged=0))
    assert main(["scan", "x", "--to", "r", "--fail-on-findings"]) == 0


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            BezoarError("No pairs in x\n.", "Name the folder."),
            2,
            "bezoar: No pairs in x\\u000a. Name the folder.",
        ),
        (BezoarError("Too broken.", "See x.", BROKEN_DATA), 3, "bezoar: Too broken. See x."),
        (
            KeyboardInterrupt(),
            130,
            "Stopped. What was finished is kept. The same command goes on from there.",
        ),
        (MemoryError(), 3, "Out of memory."),
        (OSError(errno.ENOSPC, "No space left", "a/b"), 3, "Disk full at a/b."),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), 2, "a/b: permission denied."),
        (RuntimeError("surprise"), 1, "this is a bug in bezoar."),
    ],
)
def test_each_end_has_its_code_and_one_line(
    error: BaseException, code: int, told: str, scan_is: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    scan_is(failing(error))
    assert main(["scan", "x", "--to", "r"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert told in err


def test_a_bug_is_kept_beside_the_run_or_in_the_cache(
    scan_is: Put, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan_is(failing(RuntimeError("surprise")))
    to = tmp_path / "run"
    assert main(["scan", "x", "--to", str(to)]) == 1
    [saved] = (tmp_path / "cache" / "bugs").iterdir()
    assert "surprise" in saved.read_text()
    assert str(saved) in capsys.readouterr().err
    assert not to.exists()

    Run.start(to, "scan", parameters={}, inputs={}, seed=0)
    assert main(["scan", "x", "--to", str(to)]) == 1
    assert "surprise" in (to / "bug.txt").read_text()
    assert str(to / "bug.txt") in capsys.readouterr().err


def test_refused_folder_through_the_command(scan_is: Put, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def job(_pairs: str, *, to: str, seed: int, force: bool, **_: Any) -> Answer:
        Run.start(to, "scan", parameters={}, inputs={}, seed=seed, force=force).finish()
        return answer()

    scan_is(job)
    words = ["scan", "x", "--to", str(tmp_path / "run"), "--quiet"]
    assert main(words) == main(words) == 0
    capsys.readouterr()
    assert main([*words, "--seed", "1"]) == 2
    assert "Use another --to, or --force." in capsys.readouterr().err
    assert main([*words, "--seed", "1", "--force"]) == 0


WAITING = """
import sys, time, types
from bezoar.cli import main
def scan(*_, **__):
    try:
        print('ready', file=sys.stderr, flush=True)
        time.sleep(60)
    finally:
        print('tidy', file=sys.stderr, flush=True)
        if 'slow' in sys.argv:
            time.sleep(60)
module = types.ModuleType('bezoar.jobs.scan')
module.scan = scan
sys.modules['bezoar.jobs.scan'] = module
sys.exit(main(['scan', 'x', '--to', 'r']))
"""


@pytest.mark.parametrize("slow", [False, True], ids=["once", "twice"])
def test_ctrl_c(slow: bool) -> None:
    command = [sys.executable, "-c", WAITING, *(["slow"] if slow else [])]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as work:
        assert work.stderr is not None
        assert work.stderr.readline() == "ready\n"
        time.sleep(0.1)
        work.send_signal(signal.SIGINT)
        assert work.stderr.readline() == "tidy\n"
        if slow:
            work.send_signal(signal.SIGINT)
        rest = work.stderr.read()
        assert work.wait(30) == 130
    assert rest.startswith("Stopped. ") != slow
    assert "Traceback" not in rest


def test_a_reader_that_leaves_is_no_error() -> None:
    code = (
        "import sys, types\nfrom bezoar.cli import main\nfrom bezoar.run import Answer\n"
        "module = types.ModuleType('bezoar.jobs.scan')\n"
        "module.scan = lambda *_, **__: Answer({}, ['a line'] * 100_000)\n"
        "sys.modules['bezoar.jobs.scan'] = module\nsys.exit(main(['scan', 'x', '--to', 'r']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as work:
        assert work.stdout is not None
        assert work.stderr is not None
        assert work.stdout.readline() == b"a line\n"
        work.stdout.close()
        assert work.stderr.read() == b""
        assert work.wait(30) == 0


def test_closed_streams_and_narrow_encodings() -> None:
    command = f"{sys.executable} -m bezoar.cli scn 2>&-"
    assert subprocess.run(["bash", "-c", command], env=ENVIRONMENT).returncode == 2
    done = subprocess.run(
        [sys.executable, "-m", "bezoar.cli", "--help"],
        capture_output=True,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_an_unknown_verb_from_outside() -> None:
    done = bezoar("clan", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == printable("bezoar: There is no verb 'clan'. Did you mean clean? See bezoar --help.") + "\n"


@pytest.mark.parametrize("verb", ["scan", "clean", "train", "poison", "evaluate", "embed", "demo"])
def test_each_verb_calls_its_job_with_names_it_knows(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = importlib.import_module("bezoar.demo" if verb == "demo" else f"bezoar.jobs.{verb}")
    known = inspect.signature(getattr(home, verb))
    seen = []

    def job(*positional: Any, **named: Any) -> Answer:
        seen.append(known.bind(*positional, **named))
        return answer()

    monkeypatch.setattr(home, verb, job)
    words = {
        "scan": "scan p --to r",
        "clean": "clean r --to d --flagged",
        "train": "train p --to r",
        "poison": "poison p --to d --attack badnets",
        "evaluate": "evaluate m --pairs p --to r",
        "embed": "embed p --model m --to d",
        "demo": "demo --to r",
    }
    assert main([*words[verb].split(), "--quiet"]) == 0
    assert len(seen) == 1
