"""`scan --power`: canaries are trained on and looked for, and leave no trace in what is said of the set's own pairs."""

import json

import numpy as np
import pyarrow.parquet as parquet
import pytest

from bezoar.attacks import Plan
from bezoar.attacks.canaries import counts_of
from bezoar.attacks.naming import names
from bezoar.cli import main
from bezoar.detection.power import look_for
from bezoar.jobs.scan import scan
from bezoar.pairs import open_pairs
from bezoar.pairs.synthetic import synthesize
from bezoar.run import BezoarError
from bezoar.training.start import Rung


@pytest.fixture(scope="module")
def folder_of_pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    synthesize(folder, 1000, seed=5, side=40)
    return folder


@pytest.fixture(scope="module")
def looked():
    """What canaries were looked for in: the evidence, the set's own rows, the campaigns."""
    return []


@pytest.fixture(scope="module")
def scanned(folder_of_pairs, looked, tmp_path_factory):
    """A scan with canaries, whose model trains for four passes only."""

    def look_and_keep(whole, own, campaigns, decide):
        looked.extend((whole, own, campaigns))
        return look_for(whole, own, campaigns, decide)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("bezoar.training.start.LADDER", (Rung(32, 1000),))
        patched.setattr("bezoar.jobs.scan.steps.look_for", look_and_keep)
        folder = tmp_path_factory.mktemp("power") / "run"
        answer = scan(folder_of_pairs, to=folder, rung=0, power=True, seed=5)
    return folder, answer


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text())


def test_the_tables_hold_the_sets_own_pairs_and_no_canary(folder_of_pairs, scanned):
    folder, answer = scanned
    pairs, scores = open_pairs(folder_of_pairs), parquet.read_table(folder / "scores.parquet").to_pydict()
    assert scores["key"] == pairs.keys
    assert scores["shard"] == pairs.shards
    assert np.isfinite(scores["score"]).all()
    assert answer.summary["pairs"] == len(pairs) == 1000
    planted = Plan.load(folder / "power").keys
    assert planted
    assert not any(key in (folder / "report.html").read_text() for key in planted)


def test_the_data_stay_as_they_were(folder_of_pairs, scanned):
    pairs = open_pairs(folder_of_pairs)
    assert json.loads((scanned[0] / "run.json").read_text())["inputs"]["pairs"] == pairs.fingerprint
    assert not pairs.changed()


def test_every_campaign_is_reported_with_counts_and_intervals(scanned):
    rows = summary_of(scanned[0])["power"]["campaigns"]
    assert [row["planted"] for row in rows] == 2 * counts_of(1000)
    assert [row["trigger"] for row in rows] == [name for name in ("patch", "blended") for _ in counts_of(1000)]
    assert len({row["target"] for row in rows}) == len(rows)
    for row in rows:
        assert row["share"] == row["flagged"] / row["planted"]
        assert row["low"] <= row["share"] <= row["high"]
        assert 1 <= row["median_rank"] <= 1001
        assert 0 <= row["asr_low"] <= row["asr"] <= row["asr_high"] <= 1
        assert row["asr_n"] == 300
        assert 0 <= row["asr_base"] <= 1


def test_it_is_said_on_the_terminal_and_in_the_report(scanned):
    folder, answer = scanned
    first = summary_of(folder)["power"]["campaigns"][0]
    begun = f"Of {first['planted']} canaries (patch, "
    assert any(line.startswith(begun) for line in answer.lines)
    assert begun in (folder / "report.html").read_text()
    assert any("trained on 36 canaries as well" in note for note in answer.summary["notes"])


def test_what_was_visible_stands_beside_what_density_promises(scanned):
    rates = summary_of(scanned[0])["visible_rates"]
    assert {"density", "patch", "blended"} <= set(rates)


def test_a_second_start_plants_and_measures_nothing_anew(folder_of_pairs, scanned, monkeypatch):
    folder, answer = scanned
    monkeypatch.setattr("bezoar.jobs.scan.steps.look_for", lambda *_: pytest.fail("looked again"))
    assert scan(folder_of_pairs, to=folder, rung=0, power=True, seed=5).summary["power"] == answer.summary["power"]


def test_what_is_looked_for_are_the_canaries_beside_the_sets_own_pairs(folder_of_pairs, scanned, looked):
    (whole, own, campaigns), pairs = looked, open_pairs(folder_of_pairs)
    assert own.tolist() == list(range(1000))
    assert [whole.captions[row] for row in own] == [" / ".join(captions) for captions in pairs.captions]
    assert sorted(np.concatenate([one.rows for one in campaigns])) == list(range(1000, len(whole)))
    for campaign in campaigns:
        assert all(names(campaign.target).search(whole.captions[row]) for row in campaign.rows)


@pytest.mark.parametrize("given", [{"model": "poisoned"}, {"embeddings": "vectors"}])
def test_it_is_refused_where_the_model_is_not_the_scans_own(folder_of_pairs, tmp_path, given):
    with pytest.raises(BezoarError, match="--power does not go with"):
        scan(folder_of_pairs, to=tmp_path / "run", power=True, **given)
    assert not (tmp_path / "run").exists()


def test_too_few_pairs_are_refused_before_anything_is_written(folder_of_pairs, tmp_path, capsys):
    arguments = ["scan", str(folder_of_pairs), "--to", str(tmp_path / "run"), "--power", "--limit", "400"]
    assert main(arguments) == 2
    assert "too few for canaries" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
