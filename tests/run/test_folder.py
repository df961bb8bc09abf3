from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bezoar.run import BezoarError, Run, write_bytes
from bezoar.run.folder import record_folder

ASKED: dict[str, Any] = {"parameters": {"k": 16}, "inputs": {"pairs": "aaa"}, "seed": 0}


def record(about: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((about / "run.json").read_text())
    return found


def tree(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_run_json_explains_the_run(tmp_path: Path) -> None:
    run = Run.start(tmp_path / "a" / "b", "scan", **ASKED)
    with run.step("read"):
        pass
    run.note("pairs", "/somewhere")
    assert record(run.path)["finished"] is None
    run.finish()
    written = record(run.path)
    for key in ("verb", "argv", "version", "seed", "inputs", "parameters", "machine", "threads", "started"):
        assert key in written
    assert written["finished"] >= written["started"]
    assert set(written["seconds"]) == {"read", "total"}
    assert written["seconds"]["total"] >= written["seconds"]["read"] >= 0
    assert written["pairs"] == "/somewhere"
    assert written["machine"]["cores"] >= 1


def test_the_same_unfinished_run_is_resumed_with_what_it_has(tmp_path: Path) -> None:
    first = Run.start(tmp_path, "scan", **ASKED)
    write_bytes(first.path / "part", b"1")
    first.note("rung", 3)
    second = Run.start(tmp_path, "scan", **ASKED)
    assert (first.resumed, second.resumed, second.finished) == (False, True, False)
    assert second.get("rung") == 3
    assert (tmp_path / "part").read_bytes() == b"1"
    assert record(tmp_path)["resumed"] == 1
    assert second.fingerprint == first.fingerprint


def test_a_finished_run_is_resumed_without_a_write(tmp_path: Path) -> None:
    Run.start(tmp_path, "scan", **ASKED).finish()
    before = tree(tmp_path)
    again = Run.start(tmp_path, "scan", **ASKED)
    again.finish()
    assert again.resumed
    assert again.finished
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"verb": "embed"}, "holds a scan, not an embed"),
        ({"inputs": {"pairs": "bbb"}}, "holds a scan of other bytes (pairs changed)"),
        ({"inputs": {"pairs": "aaa", "plan": "c"}}, "holds a scan of other bytes (plan changed)"),
        ({"parameters": {"k": 32}}, "holds a scan with other settings (k 16)"),
        ({"seed": 1}, "holds a scan with seed 0"),
    ],
)
def test_another_run_is_refused_and_nothing_changes(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    Run.start(tmp_path, "scan", **ASKED)
    before = tree(tmp_path)
    asked = {"verb": "scan", **ASKED, **change}
    with pytest.raises(BezoarError) as caught:
        Run.start(tmp_path, **asked)
    assert named in caught.value.what
    assert "--force" in caught.value.do
    assert caught.value.code == 2
    assert tree(tmp_path) == before


def test_the_setting_that_differs_is_named(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Settings:
        epochs: int
        batch: int = 64

    inputs = {"pairs": "a"}
    Run.start(tmp_path, "train", parameters={"settings": Settings(12)}, inputs=inputs, seed=0)
    assert Run.start(tmp_path, "train", parameters={"settings": Settings(12)}, inputs=inputs, seed=0).resumed
    with pytest.raises(BezoarError, match=r"other settings \(settings.epochs 12\)"):
        Run.start(tmp_path, "train", parameters={"settings": Settings(3)}, inputs=inputs, seed=0)


def test_a_run_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Run.start(tmp_path, "scan", **ASKED)
    monkeypatch.setattr("bezoar.__version__", "99.0")
    with pytest.raises(BezoarError, match=r"holds a scan by bezoar 0"):
        Run.start(tmp_path, "scan", **ASKED)


def test_force_replaces_all_that_a_run_of_ours_left(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    to = tmp_path / "run"
    old = Run.start(to, "scan", **ASKED)
    write_bytes(old.path / "deep" / "scores", b"old")
    (to / "link").symlink_to(outside)
    old.finish()
    new = Run.start(to, "train", **ASKED, force=True)
    assert not new.resumed
    assert set(tree(to)) == {"run.json"}
    assert record(to)["verb"] == "train"
    assert (outside / "kept").read_text() == "kept"


@pytest.mark.parametrize("data", [False, True])
def test_force_moves_between_run_folders_and_data_sets(tmp_path: Path, data: bool) -> None:
    Run.start(tmp_path, "scan", **ASKED, data=data)
    run = Run.start(tmp_path, "clean", **ASKED, data=not data, force=True)
    assert [str(p) for p in tree(tmp_path)] == [str((run.about / "run.json").relative_to(tmp_path))]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("content", ["photo.jpg", "_bezoar/notes.txt", "sub/x", "run.json"])
def test_foreign_files_are_never_touched(tmp_path: Path, content: str, force: bool) -> None:
    write_bytes(tmp_path / content, b'{"verb": "build"}')
    before = tree(tmp_path)
    with pytest.raises(BezoarError, match="no run of bezoar made"):
        Run.start(tmp_path, "scan", **ASKED, force=force)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_read_from_is_never_the_output(tmp_path: Path, force: bool) -> None:
    source = Run.start(tmp_path / "set", "poison", **ASKED, data=True)
    before = tree(tmp_path)
    for to in (source.path, tmp_path, tmp_path / "set" / ".." / "set"):
        with pytest.raises(BezoarError, match="read from"):
            Run.start(to, "poison", **ASKED, force=force, reads=[source.path])
    assert tree(tmp_path) == before


def test_an_interrupted_replacement_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Run.start(tmp_path, "scan", **ASKED)
    for name in ("a", "b", "c"):
        write_bytes(tmp_path / name, b"old")
    old.finish()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", stop_at("b", Path.unlink))
        with pytest.raises(KeyboardInterrupt):
            Run.start(tmp_path, "train", **ASKED, force=True)
    with pytest.raises(BezoarError, match="not finished"):
        Run.load(tmp_path)
    again = Run.start(tmp_path, "train", **ASKED)
    assert not again.resumed
    assert set(tree(tmp_path)) == {"run.json"}


def stop_at(name: str, unlink: Any) -> Any:
    def stopping(self: Path, **how: Any) -> None:
        if self.name == name:
            raise KeyboardInterrupt
        unlink(self, **how)

    return stopping


def test_a_killed_first_write_leaves_no_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / ".run.json.123.part").write_bytes(b"{")
    assert not Run.start(tmp_path, "scan", **ASKED).resumed


def test_a_file_or_a_folder_below_a_file_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BezoarError, match="is a file"):
        Run.start(tmp_path / "file", "scan", **ASKED)
    with pytest.raises(BezoarError, match="Cannot write"):
        Run.start(tmp_path / "file" / "run", "scan", **ASKED)


def test_a_data_set_keeps_the_record_aside(tmp_path: Path) -> None:
    run = Run.start(tmp_path, "clean", **ASKED, data=True)
    assert run.about == tmp_path / "_bezoar"
    assert set(tree(tmp_path)) == {"_bezoar/run.json"}
    (tmp_path / "00000.tar").write_bytes(b"data")
    assert Run.start(tmp_path, "clean", **ASKED, data=True).resumed
    assert record_folder(tmp_path) == run.about
    run.finish()
    assert Run.load(tmp_path, "clean").about == run.about


def test_load_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(BezoarError, match="There is no"):
        Run.load(tmp_path / "missing", "scan")
    with pytest.raises(BezoarError, match=r"not a run.*bezoar scan"):
        Run.load(tmp_path, "scan")
    run = Run.start(tmp_path, "train", **ASKED)
    with pytest.raises(BezoarError, match="not finished"):
        Run.load(tmp_path, ("train", "scan"))
    run.finish()
    with pytest.raises(BezoarError, match="holds a train, not a scan"):
        Run.load(tmp_path, "scan")
    assert Run.load(tmp_path).get("seed") == 0


def test_a_step_counts_failed_work_and_adds_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr("bezoar.run.folder.time.monotonic", lambda: float(next(clock)))
    run = Run.start(tmp_path, "scan", **ASKED)
    with pytest.raises(RuntimeError), run.step("score"):
        raise RuntimeError
    once = record(tmp_path)["seconds"]["score"]
    with run.step("score"):
        pass
    assert once == 1.0
    assert record(tmp_path)["seconds"]["score"] == 2.0
    with pytest.raises(ValueError, match="total"), run.step("total"):
        pass
    with pytest.raises(ValueError, match="verb"):
        run.note("verb", "other")


def test_a_failed_write_leaves_the_old_record_whole(tmp_path: Path) -> None:
    run = Run.start(tmp_path, "scan", **ASKED)
    before = tree(tmp_path)
    with pytest.raises(TypeError):
        run.note("bad", object())
    assert tree(tmp_path) == before
