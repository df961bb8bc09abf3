"""A run: an output folder that explains itself, may be killed at any time, and is cheap to start again.

* `run.json` says what was asked, of which bytes, by which version, on which machine, and how long it took.
* In a folder that holds a data set, `run.json` and all that is not data lies in `_bezoar/`.
* The same request goes on where it stopped; another request is refused; `force` replaces what a run of ours
  left, and nothing else: a folder without our `run.json` is never emptied, nor one that the run reads from.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bezoar.run.errors import BezoarError
from bezoar.run.files import fingerprint, write_json
from bezoar.run.machine import describe, threads
from bezoar.run.printable import printable
from bezoar.run.secrets import without_secrets

RECORD = "run.json"
ASIDE = "_bezoar"
_ASKED = ("verb", "version", "seed", "inputs", "parameters")
_OWN = {*_ASKED, "argv", "seconds", "machine", "threads", "started", "finished", "resumed", "replaced"}


class Run:
    """One run and its folder. Made by `Run.start` (to write) or `Run.load` (to read)."""

    def __init__(self, path: Path, about: Path, record: dict[str, Any], resumed: bool = False) -> None:
        self.path = path
        """The folder."""
        self.about = about
        """Where all that is not data lies: the folder itself, or `_bezoar/` in a data set."""
        self.resumed = resumed
        """Whether the folder held this very run before."""
        self._record = record
        self._clock = time.monotonic()

    @classmethod
    def start(
        cls,
        to: str | Path,
        verb: str,
        *,
        parameters: dict[str, Any],
        inputs: dict[str, str],
        seed: int,
        force: bool = False,
        data: bool = False,
        reads: Sequence[str | Path | None] = (),
    ) -> Run:
        """Open the folder `to` for a run, new or resumed.

        `parameters` are JSON-like and are all that may change the result; `inputs` map a name to a
        fingerprint of bytes; `data` says that the folder will hold a data set; `reads` are the paths that the
        run reads from; None stands for one that is not there.
        Raises BezoarError where the folder holds anything but this run.
        """
        path = Path(to)
        _refuse_inputs(path, reads)
        asked = {
            "verb": verb,
            "version": sys.modules["bezoar"].__version__,  # an import of the root would climb all floors
            "seed": seed,
            "inputs": dict(inputs),
            "parameters": json.loads(json.dumps(parameters, default=_plain)),
        }
        about = path / ASIDE if data else path
        held = _held(path)
        if held is None:
            _refuse_foreign(path)
        elif force or held[1].get("replaced"):
            _empty(path, *held)
        elif difference := _difference(held[1], asked):
            raise BezoarError(f"{path} holds {difference}.", "Use another --to, or --force.")
        else:
            return cls._resume(path, *held)
        run = cls(path, about, _fresh(asked))
        run._save()
        if held and held[0] != about:
            (held[0] / RECORD).unlink(missing_ok=True)
        return run

    @classmethod
    def load(cls, path: str | Path, verb: str | tuple[str, ...] | None = None) -> Run:
        """Read the finished run in `path`; BezoarError if there is none, or of none of the verbs wanted."""
        folder = Path(path)
        wanted = (verb,) if isinstance(verb, str) else verb
        if not folder.exists():
            raise BezoarError(f"There is no {folder}.", "Name the folder of a run.")
        held = _held(folder)
        if held is None:
            made_by = f"bezoar {' or '.join(wanted)}" if wanted else "bezoar"
            raise BezoarError(f"{folder} is not a run: it has no run.json.", f"Name a folder that {made_by} made.")
        about, record = held
        if wanted and record["verb"] not in wanted:
            raise BezoarError(
                f"{folder} holds {_a(record['verb'])}, not {_a(' or '.join(wanted))}.",
                f"Name a folder that bezoar {' or '.join(wanted)} made.",
            )
        if not record.get("finished") or record.get("replaced"):
            raise BezoarError(
                f"The {record['verb']} in {folder} is not finished.",
                "Give its command again: it goes on from there.",
            )
        return cls(folder, about, record, resumed=True)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end, now or before."""
        return bool(self._record["finished"])

    @property
    def fingerprint(self) -> str:
        """A digest of what was asked: verb, version, seed, inputs and parameters."""
        return fingerprint(*(self._record[key] for key in _ASKED))

    def get(self, key: str, default: Any = None) -> Any:
        """Return an entry of `run.json`: `verb`, `seed`, `inputs`, `parameters`, or what `note` put there."""
        return self._record.get(key, default)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the seconds of the block to `seconds[name]`, also where the block fails."""
        if name == "total":
            raise ValueError("total is the sum of the whole run, not a step")
        begun = time.monotonic()
        try:
            yield
        finally:
            seconds = self._record["seconds"]
            seconds[name] = round(seconds.get(name, 0.0) + time.monotonic() - begun, 3)
            self._save()

    def note(self, key: str, value: Any) -> None:
        """Keep an extra entry in `run.json`. `value` is JSON-like."""
        if key in _OWN:
            raise ValueError(f"{key} is written by the run itself")
        self._record[key] = value
        self._save()

    def finish(self) -> None:
        """Write that the run came to its end. A run that had ended before keeps its first time."""
        if not self.finished:
            self._record["finished"] = _now()
            self._record["machine"] = describe()
            self._record["threads"] = threads()
            self._save()

    @classmethod
    def _resume(cls, path: Path, about: Path, record: dict[str, Any]) -> Run:
        run = cls(path, about, record, resumed=True)
        if not run.finished:
            record["resumed"] += 1
            run._save()
        return run

    def _save(self) -> None:
        seconds, now = self._record["seconds"], time.monotonic()
        total = seconds.pop("total") + now - self._clock
        self._clock = now
        seconds["total"] = round(total, 3)  # last, after the steps
        try:
            write_json(self.about / RECORD, self._record)
        except OSError as error:
            raise BezoarError(
                f"Cannot write in {self.about}: {(error.strerror or 'refused').lower()}.", "Use another --to."
            ) from error


def _fresh(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "verb": asked["verb"],
        "argv": without_secrets(sys.argv),
        **asked,
        "started": _now(),
        "finished": None,
        "resumed": 0,
        "seconds": {"total": 0.0},
        "machine": describe(),
        "threads": threads(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def record_folder(path: str | Path) -> Path | None:
    """Return the folder that holds the `run.json` of the run in `path`, or None if no run is there."""
    held = _held(Path(path))
    return held[0] if held else None


def _held(path: Path) -> tuple[Path, dict[str, Any]] | None:
    for about in (path, path / ASIDE):
        try:
            record = json.loads((about / RECORD).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(record, dict) and record.keys() >= {*_ASKED, "seconds", "finished", "resumed"}:
            return about, record
    return None


def _difference(held: dict[str, Any], asked: dict[str, Any]) -> str:
    """Say what the held run is, if it is another one than what is asked; else an empty string."""
    verb = held["verb"]
    if verb != asked["verb"]:
        return f"{_a(verb)}, not {_a(asked['verb'])}"
    if changed := _changed(held["inputs"], asked["inputs"]):
        return f"{_a(verb)} of other bytes ({', '.join(changed)} changed)"
    before, now = _leaves(held["parameters"]), _leaves(asked["parameters"])
    if changed := _changed(before, now):
        told = ", ".join(f"{name} {printable(str(before.get(name)), 40)}" for name in changed[:3])
        return f"{_a(verb)} with other settings ({told}{', …' if changed[3:] else ''})"
    if held["seed"] != asked["seed"]:
        return f"{_a(verb)} with seed {held['seed']}"
    if held["version"] != asked["version"]:
        return f"{_a(verb)} by bezoar {held['version']}"
    return ""


def _a(verb: str) -> str:
    return f"an {verb}" if verb[0] in "aeiou" else f"a {verb}"


def _leaves(parameters: dict[str, Any]) -> dict[str, Any]:
    """Flatten nested settings: a reader is told that `settings.epochs` differs, not that all settings do."""
    leaves: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, dict) and value:
            leaves |= {f"{name}.{inner}": leaf for inner, leaf in _leaves(value).items()}
        else:
            leaves[name] = value
    return leaves


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]


def _refuse_inputs(path: Path, reads: Sequence[str | Path | None]) -> None:
    target = path.resolve()
    for read in reads:
        if read is None:
            continue
        source = Path(read).resolve()
        if target == source or target in source.parents:
            raise BezoarError(f"--to {path} holds {read}, which is read from.", "Use another --to.")
        if source in target.parents:
            raise BezoarError(f"--to {path} lies in {read}, which is read from.", "Use another --to.")


def _refuse_foreign(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise BezoarError(f"--to {path} is a file.", "Use another --to: a folder that is new or empty.")
    # What an own first write left when it was killed is not foreign.
    strangers = [item for item in path.iterdir() if item.name != ASIDE and not _is_part(item)]
    aside = path / ASIDE
    if strangers or (aside.is_dir() and any(not _is_part(item) for item in aside.iterdir())):
        raise BezoarError(f"{path} holds files that no run of bezoar made.", "Use another --to.")


def _is_part(item: Path) -> bool:
    return item.name.startswith(f".{RECORD}.") and item.name.endswith(".part")


def _empty(path: Path, about: Path, record: dict[str, Any]) -> None:
    # The mark first and the record last: whoever is killed in between leaves a folder that is still ours.
    write_json(about / RECORD, {**record, "replaced": True})
    for folder in {path, about}:
        for item in folder.iterdir():
            if item in (about, about / RECORD):
                continue
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink()
