"""A quick look: no model, the trigger of a fixed place found, copies named, and what it cannot see said."""

import json
import subprocess
import sys

import numpy as np
import pyarrow.parquet as parquet
import pytest

from bezoar.attacks import Plan
from bezoar.detection import quick
from bezoar.jobs.poison import poison
from bezoar.jobs.scan import scan
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.synthetic import synthesize
from bezoar.run import BezoarError

PAIRS, PLANTED = 1600, 40


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "pairs"
    synthesize(folder, PAIRS, seed=21, side=40)
    return folder


@pytest.fixture(scope="module", params=["badnets", "blended"])
def planted(request, drawn, tmp_path_factory):
    """A set with a trigger in a fixed place, and the quick look at it."""
    folder = tmp_path_factory.mktemp(request.param)
    attack = f"{request.param}:target=tree,count={PLANTED}"
    poison(drawn, to=folder / "poisoned", attack=attack, canvas=40, seed=5)
    answer = scan(folder / "poisoned", to=folder / "run", quick=True, plan=folder / "poisoned")
    return folder, answer


def rows(run):
    return parquet.read_table(run / "scores.parquet").to_pydict()


def test_a_trigger_in_a_fixed_place_is_found(planted):
    folder, answer = planted
    assert answer.summary["average_precision"] > 0.95
    scores = rows(folder / "run")
    truth = np.isin(scores["key"], list(Plan.load(folder / "poisoned").keys))
    flagged = np.array(scores["flagged"])
    assert flagged[truth].mean() > 0.9
    assert flagged[~truth].sum() <= 0.2 * flagged.sum()
    named = [name for name, flag in zip(scores["finding"], flagged, strict=True) if flag]
    assert set(named) <= {"planted", "copy"}


def test_nothing_is_flagged_on_a_clean_set(drawn, tmp_path):
    answer = scan(drawn, to=tmp_path / "run", quick=True)
    assert answer.summary["flagged"] == 0
    assert answer.summary["findings"]["planted"] == 0


def test_it_says_what_it_could_not_see(planted):
    folder, answer = planted
    assert answer.summary["quick"] is True
    assert answer.summary["witnesses"] == ["word-pattern"]
    assert answer.summary["model"] is None
    assert set(answer.summary["silent"]) >= {"density", "view-drop"}
    assert answer.summary["notes"][:2] == list(quick.UNSEEN)
    page = (folder / "run" / "report.html").read_text()
    for words in ("random places", "warps", "tints", "scan without --quick"):
        assert any(words in line for line in answer.lines), words
        assert words in page, words


def test_no_model_and_no_vectors_are_left(planted):
    folder, _ = planted
    assert {file.name for file in (folder / "run").iterdir()} == {
        *("run.json", "scores.parquet", "summary.json", "report.html")
    }


def test_the_model_room_is_never_entered(drawn, tmp_path):
    code = (
        "import sys; import bezoar; from bezoar.training import trainer; from bezoar.models import towers\n"
        "def no(*_, **__): raise SystemExit('a model was asked')\n"
        "import bezoar.jobs.scan; scan = sys.modules['bezoar.jobs.scan']\n"
        "scan.fit = scan.load = scan.new_towers = scan.embed_pairs = no\n"
        f"scan.scan({str(drawn)!r}, to={str(tmp_path / 'run')!r}, quick=True, limit=300)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        ({"model": "some"}, "--model"),
        ({"minutes": 3.0}, "--minutes"),
        ({"rung": 0}, "--rung"),
        ({"power": True}, "--power"),
        ({"k": 16}, "--k"),
        ({"max_rate": 0.01}, "--max-rate"),
        ({"detectors": "slof"}, "slof"),
    ],
)
def test_what_a_quick_look_would_not_heed_is_refused(drawn, tmp_path, beside, named):
    with pytest.raises(BezoarError, match=named):
        scan(drawn, to=tmp_path / "run", quick=True, **beside)
    assert not (tmp_path / "run").exists()


def test_vectors_are_refused_with_and_without_pairs(drawn, tmp_path):
    for pairs in (drawn, None):
        with pytest.raises(BezoarError, match="--embeddings does not go with --quick"):
            scan(pairs, to=tmp_path / "run", quick=True, embeddings=tmp_path)
    with pytest.raises(BezoarError, match="Nothing to scan"):
        scan(to=tmp_path / "run", quick=True)


def test_a_pile_of_copies_is_told_with_its_key(world_pairs, tmp_path):
    pile, other = 12, 40
    positions = np.concatenate([np.arange(100), np.full(30, pile), [other]])
    answer = scan(doubled(world_pairs, positions), to=tmp_path / "run", quick=True)
    scores = rows(tmp_path / "run")
    assert [scores["finding"][place] for place in (pile, 100, 129)] == ["copy"] * 3
    assert scores["duplicate_of"][pile] is None
    assert set(scores["duplicate_of"][100:130]) == {scores["key"][pile]}
    assert scores["duplicate_of"][130] == scores["key"][other]
    assert answer.summary["findings"]["copy"] >= 33
    largest = answer.summary["copies"]["largest"][0]
    assert largest["kind"] == "near-copies"
    assert largest["size"] >= 31
    assert largest["key"] == scores["key"][pile]
    assert any("31 pairs are near-copies of one" in line for line in answer.lines)
    page = (tmp_path / "run" / "report.html").read_text()
    assert '<section id="copies">' in page
    assert "a backdoor that nobody planted" in page
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["copies"] == answer.summary["copies"]


def doubled(pairs: Pairs, positions) -> Pairs:
    """The pairs at some positions, some of them more than once."""
    return pairs.select(positions)


def test_a_pair_that_cannot_be_read_has_no_name(tmp_path):
    folder = tmp_path / "set"
    synthesize(folder, 40, seed=2, side=40)
    shard = next(folder.glob("*.tar"))
    data = bytearray(shard.read_bytes())
    place = data.find(b"\x89PNG") if b"\x89PNG" in data else data.find(b"\xff\xd8\xff")
    data[place : place + 64] = bytes(64)
    shard.write_bytes(data)
    answer = scan(folder, to=tmp_path / "run", quick=True)
    scores = rows(tmp_path / "run")
    broken = [place for place, reason in enumerate(scores["reason"]) if reason]
    assert len(broken) == answer.summary["unreadable"] == 1
    for name in ("finding", "duplicate_of", "word-pattern", "score", "flagged"):
        assert scores[name][broken[0]] is None, name
    assert len(open_pairs(folder)) == len(scores["key"])


def test_the_command_line_knows_it(drawn, tmp_path, capsys):
    from bezoar.cli import main

    assert main(["scan", str(drawn), "--to", str(tmp_path / "run"), "--quick", "--limit", "300"]) == 0
    assert "scan without --quick" in capsys.readouterr().out
    assert main(["scan", str(drawn), "--to", str(tmp_path / "other"), "--quick", "--minutes", "3"]) == 2
    assert "--minutes does not go with --quick" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pairs", "own", "cap", "side"),
    [(100, 40, 1 << 30, 40), (100, 300, 1 << 30, 64), (100, 0, 1 << 30, 64), (100, 64, 100 * 3 * 40**2, 32)],
)
def test_the_canvas_is_as_large_as_memory_and_pictures_allow(pairs, own, cap, side):
    assert quick.quick_side(pairs, own, cap) == side


def test_more_pairs_than_memory_holds_are_refused():
    with pytest.raises(BezoarError, match="too many for a quick look"):
        quick.quick_side(10**9, 64, 1 << 30)
