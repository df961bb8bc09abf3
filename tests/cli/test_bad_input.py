"""Bad input gets a sentence: one line that names what and what to do, the design's code, and nothing half done."""

from __future__ import annotations

import errno
import io
import os
import pickle
import re
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch
from PIL import Image

from bezoar.attacks import Goal, Plan
from bezoar.attacks.naming import names
from bezoar.attacks.triggers import Tint
from bezoar.cli import main
from bezoar.models import create, save
from bezoar.pairs import Edit, open_pairs, write_webdataset
from bezoar.pairs.synthetic import synthesize

PAIRS, PER_SHARD = 220, 80
SENTENCES = re.compile(r"bezoar: \S.*\. [A-Z].*[.?]")
WEIGHTS, CONFIG = "open_clip_model.safetensors", "open_clip_config.json"


@dataclass(frozen=True)
class Told:
    """What a command left behind: its code and what it printed."""

    code: int
    out: str
    err: str

    def refuses(self, code: int, *words: str) -> None:
        """Check that the one complaint is the last line, has both sentences and says `words`."""
        assert self.code == code, self.err
        assert self.out == ""
        *before, last = self.err.splitlines()
        assert SENTENCES.fullmatch(last), last
        assert not any(line.startswith("bezoar: ") for line in before)
        assert "Traceback" not in self.err
        for word in words:
            assert word in last, last

    def refuses_at_once(self, code: int, *words: str) -> None:
        """Check the same, and that nothing else was said."""
        self.refuses(code, *words)
        assert self.err.count("\n") == 1, self.err


Command = Callable[..., Told]


@pytest.fixture
def bezoar(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs one command line in this process."""

    def run(*words: object) -> Told:
        capsys.readouterr()
        return Told(main([str(word) for word in words]), *capsys.readouterr())

    return run


def process(*words: object) -> subprocess.Popen[str]:
    """Start one command line as a user does."""
    command = [sys.executable, "-m", "bezoar", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound set of three shards."""
    folder = tmp_path_factory.mktemp("bad") / "base"
    synthesize(folder, PAIRS, seed=9, side=32, per_shard=PER_SHARD)
    return folder


@pytest.fixture(scope="module")
def samples(base: Path) -> list[tuple[str, list[tuple[str, bytes]]]]:
    """The members of the sound set: a picture and a caption each, no labels."""
    pairs = open_pairs(base)
    read = [pairs.read(place) for place in range(PAIRS)]
    return [(pair.key, [(pair.extension, pair.image), ("txt", pair.captions[0].encode())]) for pair in read]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model: what it says does not matter here."""
    folder = tmp_path_factory.mktemp("model")
    save(create("tiny-resnet", side=32), folder)
    return folder


def put(folder: Path, samples: list[Any], per_shard: int = PER_SHARD) -> Path:
    write_webdataset(samples, folder, per_shard=per_shard)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(run: Path) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = parquet.read_table(run / "scores.parquet").to_pylist()
    return table


def plan_of(keys: list[str], caption: str = "a moon") -> Plan:
    edits = tuple(Edit(key, key, "replace", caption, "tint", "tint to moon") for key in keys)
    return Plan("tint", {}, 0, 32, (Goal("tint to moon", "moon", trigger="tint"),), {"tint": Tint()}, edits)


# What is refused before anything is written. {names} are folders of the fixture below.
REFUSED = {
    "missing path": ("scan {nowhere}", 2, "nowhere does not exist", "Name a folder"),
    "missing path in train": ("train {nowhere}", 2, "nowhere does not exist"),
    "missing path in poison": ("poison {nowhere} --attack badnets:target=moon,count=2", 2, "nowhere does not exist"),
    "missing path in embed": ("embed {nowhere} --model {model}", 2, "nowhere does not exist"),
    "missing path in evaluate": ("evaluate {model} --pairs {nowhere}", 2, "nowhere does not exist"),
    "missing run": ("clean {nowhere} --flagged", 2, "There is no", "Name the folder of a run"),
    "a pattern that fits nothing": ("scan {base}/*.tgz", 2, "does not exist"),
    "empty folder": ("scan {empty}", 2, "No pairs in", "Name the folder that holds the shards"),
    "no run": ("clean {base} --flagged", 2, "is not a run", "bezoar scan made"),
    "no embeddings": ("scan --embeddings {empty}", 2, "No embeddings in", "img_emb"),
    "--limit of embeddings": ("scan --embeddings {empty} --limit 9", 2, "--limit does not go with"),
    "no plan": ("scan {base} --plan {empty}", 2, "No plan at", "plan.json"),
    "no prompts": ("scan {base} --prompts {nowhere}", 2, "No prompts can be read"),
    "unknown detector": ("scan {base} --detectors slow", 2, "no detector 'slow'", "Did you mean slof?"),
    "unknown look": ("scan {base} --detectors slof:txt", 2, "no choice 'txt'", "Did you mean text?"),
    "unknown attack": ("poison {base} --attack badnet:target=moon,count=2", 2, "badnet", "Did you mean badnets?"),
    "unknown target": (
        "poison {base} --attack badnets:target=zeppelin,count=2",
        2,
        "No caption and no class names 'zeppelin'",
    ),
    "unknown architecture": ("train {base} --arch tiny-resne", 2, "tiny-resne", "Did you mean tiny-resnet?"),
    "unknown augmentation": ("train {base} --augmentation shfit", 2, "shfit", "Did you mean shift?"),
    "unknown precision": ("train {base} --precision bf16", 2, "bf16", "Did you mean bf16-mixed?"),
    "unknown rung": ("scan {base} --rung 99", 2, "no rung 99", "Choose one of 0 to"),
    "k above the reference": ("scan {base} --model {model} --k 90 --reference 60", 2, "k = 90", "reference of 60"),
    "reference above the pairs": ("scan {base} --model {model} --reference 5000", 2, "5000", "between 2 and 220"),
    "rate above a half": ("scan {base} --model {model} --max-rate 0.7", 2, "0.7", "between 0 and 0.5"),
    "three pairs": ("scan {base} --model {model} --limit 3", 2, "3 pairs are too few", "at least 4"),
    "fewer than a batch in scan": ("scan {base} --limit 30", 2, "30 usable pairs", "batch of 64", "--model"),
    "fewer than a batch in train": ("train {base} --limit 30", 2, "30 usable pairs", "batch of 64", "--batch"),
    "missing model": ("scan {base} --model {nowhere}", 2, "No model at", "hf-hub:ID"),
    "missing model in evaluate": ("evaluate {nowhere} --pairs {base}", 2, "No model at"),
    "missing start": ("train {base} --from {nowhere}", 2, "No model at"),
    "missing weights file": ("embed {base} --model tiny-resnet:{nowhere}", 2, "No weights at", "Name a"),
    "a folder that is no model": ("scan {base} --model {empty}", 2, f"no {CONFIG}", "open_clip"),
    "a model without weights": ("scan {base} --model {no_weights}", 2, "No weights in", "may not have finished"),
    "a configuration of something else": ("scan {base} --model {other}", 2, "is not a model configuration"),
    "cut-off safetensors": ("scan {base} --model {cut_weights}", 2, f"{WEIGHTS} cannot be read", "cut off"),
    "a plan of other pairs": ("scan {base} --model {model} --plan {plan}", 2, "none of them is in this set"),
    "planting a plan of other pairs": ("poison {base} --plan {plan}", 2, 'No pair "zebra"'),
    "nothing to scan": ("scan", 2, "Nothing to scan", "--embeddings"),
}


@pytest.fixture(scope="module")
def places(base: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What stands for the names in REFUSED."""
    root = tmp_path_factory.mktemp("places")
    for name in ("empty", "no_weights", "cut_weights", "other"):
        (root / name).mkdir()
    shutil.copy(model / CONFIG, root / "no_weights")
    shutil.copy(model / CONFIG, root / "cut_weights")
    whole = (model / WEIGHTS).read_bytes()
    (root / "cut_weights" / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    (root / "other" / CONFIG).write_text('{"model_cfg": {"hidden_size": 768}}')
    shutil.copy(model / WEIGHTS, root / "other")
    plan_of(["zebra"]).save(root / "plan")
    names = ("empty", "no_weights", "cut_weights", "other", "plan", "nowhere")
    return {"base": base, "model": model, **{name: root / name for name in names}}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_cannot_be_met_is_refused_before_anything_is_written(
    case: str, bezoar: Command, places: dict[str, Path], tmp_path: Path
) -> None:
    words, code, *told = REFUSED[case]
    before = {name: contents(path) for name, path in places.items() if path.exists()}
    answer = bezoar(*words.format(**places).split(), "--to", tmp_path / "out")
    answer.refuses_at_once(code, *told)
    assert list(tmp_path.iterdir()) == []
    assert {name: contents(path) for name, path in places.items() if path.exists()} == before


def test_a_missing_path_from_outside(tmp_path: Path) -> None:
    with process("scan", tmp_path / "nowhere", "--to", tmp_path / "out") as work:
        out, err = work.communicate(timeout=60)
    Told(work.returncode, out, err).refuses_at_once(2, "nowhere does not exist")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("words", ["scan {base}", "train {base}", "embed {base} --model {model}"])
def test_a_device_that_is_not_there(words: str, bezoar: Command, places: dict[str, Path], tmp_path: Path) -> None:
    answer = bezoar(*words.format(**places).split(), "--device", "cuda", "--to", tmp_path / "out")
    answer.refuses_at_once(2, "--device cuda", "Use --device cpu")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["clean RUN --flagged", "demo"])
def test_limit_is_refused_where_it_would_drop_data(verb: str, bezoar: Command, tmp_path: Path) -> None:
    bezoar(*verb.split(), "--limit", 5, "--to", tmp_path / "out").refuses_at_once(2, "--limit")
    assert list(tmp_path.iterdir()) == []


class Payload:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.file}",)


@pytest.mark.parametrize("how", ["pickle", "torch"])
@pytest.mark.parametrize("place", ["file", "folder"])
def test_a_checkpoint_with_code_in_it_is_refused_and_the_code_does_not_run(
    how: str, place: str, bezoar: Command, base: Path, model: Path, tmp_path: Path
) -> None:
    evil = tmp_path / "evil" / "open_clip_pytorch_model.bin"
    evil.parent.mkdir()
    shutil.copy(model / CONFIG, evil.parent)
    with evil.open("wb") as file:
        {"pickle": pickle.dump, "torch": torch.save}[how]({"weights": Payload(tmp_path / "ran")}, file)
    name = f"tiny-resnet:{evil}" if place == "file" else str(evil.parent)
    for words in (
        ["scan", base, "--model", name],
        ["evaluate", name, "--pairs", base],
        ["train", base, "--from", name],
    ):
        bezoar(*words, "--to", tmp_path / "out").refuses_at_once(2, evil.name, "not loaded", "safetensors")
    assert [item.name for item in tmp_path.iterdir()] == ["evil"]
    os.system(f"touch {tmp_path / 'ran'}")
    assert (tmp_path / "ran").exists(), "the payload would have shown"


# --- output folders


def test_a_folder_of_another_run_is_refused_and_stays(bezoar: Command, base: Path, model: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    assert bezoar("embed", base, "--model", model, "--limit", 20, "--to", to).code == 0
    before = contents(to)
    scan = ("scan", base, "--model", model, "--limit", 20, "--to", to)
    bezoar(*scan).refuses_at_once(2, "holds an embed, not a scan", "--force")
    bezoar("embed", base, "--model", model, "--limit", 21, "--to", to).refuses_at_once(2, "other bytes", "--force")
    assert contents(to) == before
    assert bezoar(*scan, "--force").code == 0
    assert (to / "report.html").is_file()
    assert not (to / "img_emb").exists()


def test_a_foreign_folder_is_never_touched(bezoar: Command, base: Path, model: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letters" / "dear.txt"
    letter.parent.mkdir()
    letter.write_text("Dear Ann")
    scan = ("scan", base, "--model", model, "--to")
    bezoar(*scan, letter.parent).refuses_at_once(2, "no run of bezoar made", "Use another --to")
    bezoar(*scan, letter.parent, "--force").refuses_at_once(2, "no run of bezoar made", "Use another --to")
    bezoar(*scan, letter).refuses_at_once(2, "is a file", "Use another --to")
    assert contents(tmp_path) == {"letters/dear.txt": b"Dear Ann"}


@pytest.fixture(scope="module")
def runs(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of ours that others read from; --force would replace them if they were not read from."""
    folder = tmp_path_factory.mktemp("runs")
    for words in (
        f"train {base} --limit 64 --epochs 1 --to {folder}/model",
        f"poison {base} --attack badnets:target=moon,count=2 --canvas 40 --to {folder}/poisoned",
        f"embed {base} --model {folder}/model --to {folder}/vectors",
        f"scan --embeddings {folder}/vectors --to {folder}/run",
    ):
        assert main(words.split()) == 0
    return folder


@pytest.mark.parametrize("force", [False, True], ids=["", "force"])
@pytest.mark.parametrize("where", ["", "deeper", ".."], ids=["equal", "inside", "above"])
def test_output_never_goes_where_input_is_read_from(
    where: str, force: bool, bezoar: Command, base: Path, model: Path, runs: Path
) -> None:
    trained, plan, vectors, run = (runs / name for name in ("model", "poisoned", "vectors", "run"))
    before = contents(runs)
    for source, words in (
        (plan, ["scan", plan, "--model", model]),
        (plan, ["train", plan]),
        (plan, ["embed", plan, "--model", model]),
        (plan, ["evaluate", model, "--pairs", plan]),
        (plan, ["poison", plan, "--attack", "badnets:target=moon,count=2"]),
        (plan, ["poison", base, "--plan", plan]),
        (trained, ["scan", base, "--model", trained]),
        (trained, ["evaluate", trained, "--pairs", base]),
        (trained, ["embed", base, "--model", f"local-dir:{trained}"]),
        (trained, ["train", base, "--from", trained]),
        (vectors, ["scan", "--embeddings", vectors]),
        (run, ["clean", run, "--flagged", "--pairs", base]),
    ):
        answer = bezoar(*words, "--to", source / where, *(["--force"] if force else []))
        answer.refuses_at_once(2, "read from", "Use another --to")
    assert contents(runs) == before


def test_a_folder_that_cannot_be_written_is_named(
    bezoar: Command, base: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    words = ("scan", base, "--model", model, "--limit", 20, "--to")
    bezoar(*words, tmp_path / "file" / "out").refuses_at_once(2, "not a directory", "Use another --to")

    locked, make = tmp_path / "locked", Path.mkdir

    def refuse(path: Path, *arguments: Any, **named: Any) -> None:  # root may write in folders that are read-only
        if path == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        make(path, *arguments, **named)

    monkeypatch.setattr(Path, "mkdir", refuse)
    bezoar(*words, locked).refuses_at_once(2, "locked", "permission denied", "Use another --to")
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


# --- sets with faults


def test_a_shard_cut_in_the_middle_is_scanned_as_far_as_it_goes(
    bezoar: Command, samples: list[Any], model: Path, tmp_path: Path
) -> None:
    folder = put(tmp_path / "set", samples)
    shard = folder / "00001.tar"
    with tarfile.open(shard) as archive:
        pictures = [member for member in archive if member.name.endswith(".png")]
    with shard.open("r+b") as file:
        file.truncate(pictures[len(pictures) // 2].offset_data + 100)
    answer = bezoar("scan", folder, "--model", model, "--to", tmp_path / "run")
    assert answer.code == 0
    found = rows(tmp_path / "run")
    unreadable = [row for row in found if row["reason"]]
    assert [row["shard"] for row in unreadable] == ["00001.tar"]
    assert unreadable[0]["reason"].startswith("cut off")
    assert len(found) == PAIRS - len(pictures) // 2 + 1
    assert all((row["score"] is None) == bool(row["reason"]) for row in found)
    assert "1 could not be read" in answer.out
    assert "Broken shards: 00001.tar (cut off" in answer.out
    assert "Broken shards: 00001.tar" in (tmp_path / "run" / "report.html").read_text()
    assert bezoar("clean", tmp_path / "run", "--share", 0.02, "--to", tmp_path / "cleaned").code == 0
    kept = open_pairs(tmp_path / "cleaned")
    assert not kept.faults
    assert set(kept.keys) < {row["key"] for row in found if not row["reason"]}


def test_a_shard_that_is_no_archive_at_all(bezoar: Command, base: Path, model: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "set")
    for shard in (tmp_path / "set").glob("*.tar"):
        shard.write_bytes(b"hello" * 1000)
    answer = bezoar("scan", tmp_path / "set", "--model", model, "--to", tmp_path / "run")
    answer.refuses_at_once(3, "Nothing in", "00000.tar", "Check how it was copied")
    assert not (tmp_path / "run").exists()


def huge(picture: bytes) -> bytes:
    """Return a small PNG whose header says 100,000 × 100,000."""
    size = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return picture[:16] + size + struct.pack(">I", zlib.crc32(b"IHDR" + size)) + picture[33:]


def gif() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), (9, 9, 200)).save(out, "GIF")
    return out.getvalue()


@pytest.fixture
def faulty(samples: list[Any], tmp_path: Path) -> Path:
    """A set with four pictures that cannot be read and a GIF that calls itself .jpg."""
    mixed = list(samples)
    good = samples[0][1][0][1]
    broken = {3: b"", 7: good[: len(good) // 2], 11: b"not a picture", 13: huge(good)}
    for place, data in broken.items():
        key, (_, caption) = mixed[place]
        mixed[place] = key, [("png", data), caption]
    key, (_, caption) = mixed[17]
    mixed[17] = key, [("jpg", gif()), caption]
    return put(tmp_path / "set", mixed)


def test_pictures_that_cannot_be_read_are_rows_with_a_reason(bezoar: Command, faulty: Path, model: Path) -> None:
    run, out = faulty.parent / "run", faulty.parent
    answer = bezoar("scan", faulty, "--model", model, "--to", run)
    assert answer.code == 0
    assert "4 could not be read" in answer.out
    found = rows(run)
    reasons = {place: row["reason"] for place, row in enumerate(found) if row["reason"]}
    assert reasons == {
        3: "not a picture that can be read",
        7: "picture is damaged",
        11: "not a picture that can be read",
        13: "picture has more than 100 megapixels",
    }
    assert all((row["score"] is None) == (place in reasons) for place, row in enumerate(found))
    report = (run / "report.html").read_text()
    problems = report[report.index("Problems") :]
    assert all(reason in problems for reason in reasons.values())
    assert "4 pairs could not be read" in report

    assert bezoar("clean", run, "--share", 0.01, "--to", out / "dropped").code == 0
    assert bezoar("clean", run, "--share", 0.01, "--keep-unreadable", "--to", out / "kept").code == 0
    bad = {found[place]["key"] for place in reasons}
    dropped, kept = set(open_pairs(out / "dropped").keys), set(open_pairs(out / "kept").keys)
    assert bad <= kept
    assert kept - dropped == bad


def test_every_other_verb_goes_on_around_them(bezoar: Command, faulty: Path, model: Path) -> None:
    out = faulty.parent
    trained = bezoar("train", faulty, "--epochs", 1, "--to", out / "trained")
    assert (trained.code, "4 of them unreadable" in trained.out) == (0, True)
    embedded = bezoar("embed", faulty, "--model", model, "--to", out / "vectors")
    assert (embedded.code, "216 of 220 pairs embedded, 4 unreadable" in embedded.out) == (0, True)
    assert bezoar("evaluate", model, "--pairs", faulty, "--to", out / "measured").code == 0
    # As many as there are: what cannot be painted must not be chosen.
    captions = [own[0] for place, own in enumerate(open_pairs(faulty).captions) if place not in (3, 7, 11, 13, 17)]
    free = sum(not names("moon").search(caption) for caption in captions)
    attack = f"badnets:target=moon,count={free}"
    assert bezoar("poison", faulty, "--attack", attack, "--canvas", 40, "--to", out / "planted").code == 0
    assert len(Plan.load(out / "planted").keys) == free
    more = bezoar("poison", faulty, "--attack", attack.replace(str(free), str(free + 1)), "--to", out / "more")
    more.refuses_at_once(2, f"{free + 1} pairs were asked for", "lower count")


def test_a_scan_that_trains_looks_at_no_huge_picture(bezoar: Command, faulty: Path) -> None:
    answer = bezoar("scan", faulty, "--rung", 0, "--limit", 80, "--to", faulty.parent / "run", "--quiet")
    assert answer.code == 0
    assert sum(row["reason"] is not None for row in rows(faulty.parent / "run")) == 4


@pytest.mark.parametrize(
    "words",
    ["scan {set} --model {model}", "train {set}", "embed {set} --model {model}", "evaluate {model} --pairs {set}"],
)
def test_a_set_of_nothing_but_broken_pictures(
    words: str, bezoar: Command, samples: list[Any], model: Path, tmp_path: Path
) -> None:
    folder = put(tmp_path / "set", [(key, [("png", b"broken"), caption]) for key, (_, caption) in samples])
    answer = bezoar(*words.format(set=folder, model=model).split(), "--to", tmp_path / "out")
    answer.refuses(3, "No usable pair in", "220 of 220", "not a picture", "Check how it was made")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".part", ".html", ".safetensors")]


def test_captions_that_are_all_equal(bezoar: Command, samples: list[Any], model: Path, tmp_path: Path) -> None:
    folder = put(tmp_path / "set", [(key, [picture, ("txt", b"a ball")]) for key, (picture, _) in samples])
    assert bezoar("scan", folder, "--model", model, "--detectors", "all", "--to", tmp_path / "run").code == 0
    assert all(np.isfinite(row["score"]) for row in rows(tmp_path / "run"))


def test_pictures_that_are_all_identical(bezoar: Command, samples: list[Any], model: Path, tmp_path: Path) -> None:
    picture = samples[0][1][0]
    folder = put(tmp_path / "set", [(key, [picture, caption]) for key, (_, caption) in samples])
    answer = bezoar("scan", folder, "--model", model, "--detectors", "all", "--json", "--to", tmp_path / "run")
    assert answer.code == 0
    assert '"density": "finds all pairs alike"' in answer.out
    assert all(np.isfinite(row["score"]) for row in rows(tmp_path / "run"))


def test_pairs_that_are_all_the_same(bezoar: Command, samples: list[Any], model: Path, tmp_path: Path) -> None:
    picture = samples[0][1][0]
    folder = put(tmp_path / "set", [(key, [picture, ("txt", b"a ball")]) for key, _ in samples])
    answer = bezoar("scan", folder, "--model", model, "--to", tmp_path / "run")
    answer.refuses(3, "No witness can speak", "finds all pairs alike", "Check how the set was made")
    assert not (tmp_path / "run" / "scores.parquet").exists()


def test_a_set_of_five_pairs_is_ranked_and_says_that_it_is_small(
    bezoar: Command, samples: list[Any], model: Path, tmp_path: Path
) -> None:
    folder = put(tmp_path / "set", samples[:5])
    answer = bezoar("scan", folder, "--model", model, "--detectors", "all", "--to", tmp_path / "run")
    assert answer.code == 0
    assert "5 pairs are too few to know the tail of honest scores by" in answer.out
    assert all(np.isfinite(row["score"]) and not row["flagged"] for row in rows(tmp_path / "run"))
    assert bezoar("clean", tmp_path / "run", "--share", 0.5, "--to", tmp_path / "cleaned").code == 0
    assert len(open_pairs(tmp_path / "cleaned")) == 3


def test_embeddings_with_numbers_that_are_none(bezoar: Command, base: Path, model: Path, tmp_path: Path) -> None:
    vectors = tmp_path / "vectors"
    assert bezoar("embed", base, "--model", model, "--limit", 60, "--to", vectors).code == 0
    for kind, place, value in (("img_emb", 4, np.nan), ("img_emb", 9, np.inf), ("text_emb", 20, np.nan)):
        [file] = (vectors / kind).glob("*.npy")
        table = np.load(file)
        table[place, 3] = value
        np.save(file, table)
    answer = bezoar("scan", "--embeddings", vectors, "--detectors", "norm,clip-score", "--to", tmp_path / "run")
    assert answer.code == 0
    found = rows(tmp_path / "run")
    assert [place for place, row in enumerate(found) if row["reason"]] == [4, 9, 20]
    assert all(row["score"] is None for row in found if row["reason"])
    assert all(np.isfinite(row["clip-score"]) for row in found if not row["reason"])


@pytest.mark.parametrize("name", ["metadata/metadata_0000.parquet", "img_emb/img_emb_0000.npy", "embeddings.json"])
def test_embeddings_that_are_cut_off(name: str, bezoar: Command, base: Path, model: Path, tmp_path: Path) -> None:
    vectors = tmp_path / "vectors"
    assert bezoar("embed", base, "--model", model, "--limit", 20, "--to", vectors).code == 0
    file = vectors / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    answer = bezoar("scan", "--embeddings", vectors, "--to", tmp_path / "run")
    answer.refuses_at_once(2, file.parent.name, "Make the embeddings again")
    assert not (tmp_path / "run").exists()


# --- what strangers wrote, on the terminal and on the page

RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_control_characters_of_captions_and_keys_are_printed_safely(
    bezoar: Command, samples: list[Any], model: Path, tmp_path: Path
) -> None:
    nasty = "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u2066 <script>alert(1)</script>"
    mixed = [(f"k\x1b[2J\u202e{key}", [picture, ("txt", nasty.encode())]) for key, (picture, _) in samples[:30]]
    mixed[4] = mixed[4][0], [("png", b"broken"), mixed[4][1][1]]
    folder = put(tmp_path / "set\u202e", mixed)
    answer = bezoar("scan", folder, "--model", model, "--to", tmp_path / "run\u202e")
    assert answer.code == 0
    assert "\\u202e" in answer.out
    report = (tmp_path / "run\u202e" / "report.html").read_text()
    for text in (answer.out, answer.err, report):
        assert not RAW.search(text.replace("\n", "").replace("\t", ""))
    assert "U+202E" in report
    assert "<script>alert" not in report
    plan_of([f"no\x1b[31m{nasty}"]).save(tmp_path / "plan")
    complaint = bezoar("poison", folder, "--plan", tmp_path / "plan", "--to", tmp_path / "out")
    complaint.refuses_at_once(2, "No pair", "\\u001b[31m", "\\u202e")
    assert not RAW.search(complaint.err.replace("\n", ""))


# --- the machine


@pytest.fixture(scope="module")
def scanned(base: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished scan of the sound set."""
    run = tmp_path_factory.mktemp("scanned") / "run"
    assert main(["scan", str(base), "--model", str(model), "--to", str(run), "--quiet"]) in (0, 4)
    return run


def test_findings_end_with_code_4_where_asked_for(bezoar: Command, base: Path, tmp_path: Path) -> None:
    planted, run = tmp_path / "planted", tmp_path / "run"
    attack = ("--attack", "badnets:target=moon,count=60,size=0.25", "--canvas", 32)
    assert bezoar("poison", base, *attack, "--to", planted, "--quiet").code == 0
    words = ("scan", planted, "--quick", "--to", run, "--quiet")
    assert bezoar(*words).code == 0
    assert any(row["flagged"] for row in rows(run))
    plain, failing = bezoar(*words), bezoar(*words, "--fail-on-findings")
    assert (plain.code, failing.code) == (0, 4)
    assert failing.out == plain.out != ""


def test_no_room_on_the_disk_is_said_before_a_byte_is_copied(
    bezoar: Command, base: Path, scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("clean", scanned, "--share", 0.02, "--to", tmp_path / "cleaned")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 10**6 - 10, 10))  # type: ignore[attr-defined]
        bezoar(*words).refuses(3, "No room in", "are needed", "Free space")
        assert not list((tmp_path / "cleaned").glob("*.tar"))
    assert bezoar(*words).code == 0
    assert len(open_pairs(tmp_path / "cleaned")) == PAIRS - 4


class FullDisk:
    """The n-th file that is synced finds no room."""

    def __init__(self, patch: pytest.MonkeyPatch, files: int) -> None:
        self.left = files
        patch.setattr(os, "fsync", self)

    def __call__(self, number: int) -> None:
        del number
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_while_cleaning_keeps_what_is_copied(
    bezoar: Command, scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("clean", scanned, "--share", 0.02, "--to", tmp_path / "cleaned")
    with monkeypatch.context() as patch:
        FullDisk(patch, files=5)
        bezoar(*words).refuses(3, "Disk full at", "Free space and run the same command")
    done = [path.stem for path in (tmp_path / "cleaned" / "_bezoar" / "shards").glob("*.json")]
    half = {name: (tmp_path / "cleaned" / name).stat().st_mtime_ns for name in done}
    assert 0 < len(half) < 3
    assert not list((tmp_path / "cleaned").rglob("*.part"))
    assert bezoar(*words).code == 0
    whole = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cleaned").glob("*.tar")}
    assert len(whole) == 3
    assert half.items() <= whole.items()
    assert bezoar("clean", scanned, "--share", 0.02, "--to", tmp_path / "at-once").code == 0
    for name in whole:
        assert (tmp_path / "cleaned" / name).read_bytes() == (tmp_path / "at-once" / name).read_bytes()


def test_a_disk_that_fills_while_scanning_keeps_what_is_embedded(
    bezoar: Command, base: Path, model: Path, scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    words = ("scan", base, "--model", model, "--to", run)
    with monkeypatch.context() as patch:
        FullDisk(patch, files=9)
        bezoar(*words).refuses(3, "Disk full at", "what was finished is kept")
    done = {path: path.stat().st_mtime_ns for path in (run / "embeddings" / "metadata").iterdir()}
    assert 0 < len(done) < 3
    assert not list(run.rglob("*.part"))
    assert bezoar(*words).code == 0
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in done.items())
    assert rows(run) == rows(scanned)


# --- Ctrl-C


def stopped(words: list[object], ready: Callable[[], bool]) -> Told:
    """Start a command, press Ctrl-C once it is `ready`, and return how it ended."""
    with process(*words) as work:
        began = time.monotonic()
        while not ready():
            assert work.poll() is None, work.communicate()
            assert time.monotonic() - began < 60
            time.sleep(0.01)
        work.send_signal(signal.SIGINT)
        out, err = work.communicate(timeout=60)
    return Told(work.returncode, out, err)


def check_stopped(told: Told) -> None:
    assert (told.code, told.out) == (130, "")
    assert told.err.splitlines()[-1] == "Stopped. What was finished is kept. The same command goes on from there."
    assert "Traceback" not in told.err


def test_ctrl_c_in_the_middle_of_training(bezoar: Command, base: Path, tmp_path: Path) -> None:
    to = tmp_path / "model"
    words = ["train", base, "--epochs", 12, "--to", to]
    check_stopped(stopped(words, (to / "log.jsonl").is_file))
    assert not list(tmp_path.rglob("*.part"))
    assert not (to / WEIGHTS).exists()
    assert bezoar(*words).code == 0
    assert bezoar("embed", base, "--model", to, "--limit", 20, "--to", tmp_path / "vectors").code == 0


def test_ctrl_c_in_the_middle_of_a_scan(
    bezoar: Command, base: Path, model: Path, scanned: Path, tmp_path: Path
) -> None:
    to = tmp_path / "run"
    words = ["scan", base, "--model", model, "--to", to]
    first = to / "embeddings" / "metadata" / "metadata_0000.parquet"
    check_stopped(stopped(words, first.is_file))
    assert not (to / "scores.parquet").exists()
    assert not list(tmp_path.rglob("*.part"))
    stamp = first.stat().st_mtime_ns
    assert bezoar(*words).code == 0
    assert first.stat().st_mtime_ns == stamp
    assert rows(to) == rows(scanned)
