"""Scanning: the files it leaves, what it says, and that the truth never reaches it."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as parquet
import pytest

from bezoar.attacks import Plan
from bezoar.jobs.embed import embed
from bezoar.jobs.scan import scan
from bezoar.models import load
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError

VIEWS = ("view-mismatch", "view-drop", "view-constancy")
PATTERNS = ("shared-pattern", "word-pattern")
WITNESSES = ("density", *VIEWS, *PATTERNS, "fellows")


def table(folder):
    return parquet.read_table(folder / "scores.parquet").to_pydict()


def test_there_is_a_score_for_every_pair_in_the_order_of_the_set(story):
    scores, pairs = table(story / "scan"), open_pairs(story / "poisoned")
    assert scores["key"] == pairs.keys
    assert scores["shard"] == pairs.shards
    assert scores["row"] == pairs.rows.tolist()
    for name in (*WITNESSES, "alone", "score", "p_value", "suspicion"):
        assert np.isfinite(scores[name]).all(), name


def test_suspicion_ranks_as_the_score_does_where_no_group_was_found(story):
    scores = table(story / "scan")
    assert set(scores["group"]) == {None}
    assert np.array_equal(np.argsort(scores["score"], kind="stable"), np.argsort(scores["suspicion"], kind="stable"))


def test_the_score_is_the_sum_of_the_witnesses_robust_z(story):
    scores = {name: np.array(values) for name, values in table(story / "scan").items() if name not in ("key", "shard")}

    def unit(values):
        return (np.quantile(values, 0.9, method="lower") - np.median(values)) / 1.2815515655446004

    z = {name: (scores[name] - np.median(scores[name])) / unit(scores[name]) for name in WITNESSES[:-1]}
    pattern = np.maximum(*(z[name] for name in PATTERNS))
    looks = np.maximum(z["view-mismatch"] + z["view-drop"], 2 * z["view-constancy"])
    np.testing.assert_allclose(z["density"] + looks + pattern, scores["alone"], rtol=1e-9)
    fellows = 4 * unit(scores["alone"]) * scores["fellows"]
    np.testing.assert_allclose(scores["alone"] + fellows, scores["score"], rtol=1e-9)


def test_a_group_is_named_by_its_most_suspicious_pair(story):
    summary, scores = json.loads((story / "scan" / "summary.json").read_text()), table(story / "scan")
    group, score = np.array([-1 if one is None else one for one in scores["group"]]), np.array(scores["score"])
    assert len(summary["groups"]) == group.max() + 1
    for number, row in enumerate(summary["groups"]):
        members = np.flatnonzero(group == number)
        assert row["size"] == len(members)
        assert row["key"] == scores["key"][members[np.argmax(score[members])]]
    assert np.array(scores["flagged"])[group >= 0].all()


def test_the_plan_is_only_compared_with(story, tmp_path):
    scan(story / "poisoned", to=tmp_path / "blind", model=story / "models" / "poisoned", seed=5)
    assert table(tmp_path / "blind") == table(story / "scan")
    blind, judged = (
        json.loads((folder / "summary.json").read_text()) for folder in (tmp_path / "blind", story / "scan")
    )
    assert "auroc" not in blind
    assert blind["flagged"] == judged["flagged"]


def test_without_a_model_the_scan_trains_one_and_a_second_start_does_not(story, tmp_path):
    answer = scan(story / "pairs", to=tmp_path / "run", rung=0, limit=300)
    assert load(tmp_path / "run" / "model").canvas.side == answer.summary["canvas"] == 32
    assert answer.summary["witnesses"] == list(WITNESSES)
    assert any("trained its own model at 32 px" in note for note in answer.summary["notes"])
    before = (tmp_path / "run" / "model" / "open_clip_model.safetensors").stat().st_mtime_ns
    again = scan(story / "pairs", to=tmp_path / "run", rung=0, limit=300)
    assert again.summary["flagged"] == answer.summary["flagged"]
    assert (tmp_path / "run" / "model" / "open_clip_model.safetensors").stat().st_mtime_ns == before


def test_embeddings_alone_are_scanned_by_what_can_speak(story, tmp_path):
    embed(story / "poisoned", model=story / "models" / "poisoned", to=tmp_path / "vectors")
    answer = scan(embeddings=tmp_path / "vectors", to=tmp_path / "run", detectors="norm,clip-score")
    assert answer.summary["witnesses"] == ["density", "fellows"]
    assert set(answer.summary["silent"]) == {*VIEWS, *PATTERNS}
    scores, whole = table(tmp_path / "run"), table(story / "scan")
    assert {"norm", "clip-score"} <= set(scores)
    assert np.corrcoef(scores["density"], whole["density"])[0, 1] > 0.9


def test_pairs_and_their_embeddings_are_scanned_together(story, tmp_path):
    embed(story / "poisoned", model=story / "models" / "poisoned", to=tmp_path / "vectors")
    answer = scan(story / "poisoned", embeddings=tmp_path / "vectors", to=tmp_path / "run", seed=5)
    assert answer.summary["witnesses"] == ["density", *PATTERNS, "fellows"]
    scores, whole = table(tmp_path / "run"), table(story / "scan")
    assert scores["key"] == whole["key"]
    np.testing.assert_allclose(scores["shared-pattern"], whole["shared-pattern"], atol=1e-3)


def test_embeddings_of_other_pairs_are_refused(story, tmp_path):
    embed(story / "test", model=story / "models" / "poisoned", to=tmp_path / "vectors", limit=300)
    with pytest.raises(BezoarError, match="have no vectors"):
        scan(story / "poisoned", embeddings=tmp_path / "vectors", to=tmp_path / "run")


def test_unit_vectors_are_warned_of(story, tmp_path):
    embed(story / "poisoned", model=story / "models" / "poisoned", to=tmp_path / "vectors")
    for file in (tmp_path / "vectors" / "img_emb").glob("*.npy"):
        vectors = np.load(file).astype(np.float32)
        np.save(file, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16))
    (tmp_path / "vectors" / "embeddings.json").unlink()
    answer = scan(embeddings=tmp_path / "vectors", to=tmp_path / "run")
    assert any("length one" in note for note in answer.summary["notes"])


def test_a_model_that_was_not_trained_on_the_pairs_is_warned_of(story, tmp_path):
    answer = scan(story / "poisoned", to=tmp_path / "run", model=story / "models" / "never-poisoned")
    assert any("cannot have learned their backdoor" in note for note in answer.summary["notes"])
    assert not json.loads((story / "scan" / "summary.json").read_text())["notes"]


def test_a_detector_of_ones_own_gets_a_column(story, tmp_path):
    def brightness(evidence):
        return evidence.pixels.reshape(len(evidence), -1).mean(axis=1)

    scan(story / "poisoned", to=tmp_path / "run", model=story / "models" / "poisoned", detectors=[brightness])
    pairs = open_pairs(story / "poisoned")
    canvas = load(story / "models" / "poisoned").canvas
    assert table(tmp_path / "run")["brightness"][7] == pytest.approx(pairs.pixels(7, canvas).mean())


def test_few_pairs_are_ranked_and_none_is_flagged(story, tmp_path):
    answer = scan(story / "poisoned", to=tmp_path / "run", model=story / "models" / "poisoned", limit=150)
    assert answer.summary["flagged"] == 0
    assert any("too few to know the tail" in note for note in answer.summary["notes"])


def test_the_figures_against_the_plan_are_those_of_the_written_scores(story):
    summary, scores = json.loads((story / "scan" / "summary.json").read_text()), table(story / "scan")
    planted = np.isin(scores["key"], list(Plan.load(story / "poisoned").keys))
    score = np.array(scores["score"])
    assert summary["planted"] == planted.sum() == 40
    above = score[planted][:, None] - score[~planted]
    assert summary["auroc"] == pytest.approx(((above > 0) + (above == 0) / 2).mean())
    order = np.argsort(-score, kind="stable")
    precision = np.cumsum(planted[order]) / np.arange(1, 1001)
    assert summary["average_precision"] == pytest.approx(precision[planted[order]].mean())
    assert summary["recall_at_drop"] == pytest.approx(planted[order[:20]].sum() / 40)
    assert summary["clean_lost"] == pytest.approx((~planted[order[:20]]).sum() / 960)
    for percent in (95, 99, 100):
        threshold = np.sort(score[planted])[::-1][int(np.ceil(percent * 40 / 100)) - 1]
        assert summary[f"fpr_at_{percent}_tpr"] == pytest.approx((score[~planted] >= threshold).mean())
    assert summary["detectors"].keys() == set(WITNESSES)
    assert summary["detectors"]["density"].keys() == {
        *("auroc", "average_precision", "recall_at_drop", "clean_lost"),
        *(f"fpr_at_{percent}_tpr" for percent in (95, 99, 100)),
    }


def test_decoys_of_a_plan_are_no_poison(story, tmp_path):
    plan = Plan.load(story / "poisoned")
    half = tuple(replace(edit, goal=None) if place % 2 else edit for place, edit in enumerate(plan.planted))
    model = story / "models" / "poisoned"
    answer = scan(story / "poisoned", to=tmp_path / "run", model=model, plan=replace(plan, planted=half))
    assert answer.summary["planted"] == 20


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"pairs": None}, "Nothing to scan"),
        ({"detectors": "slow"}, "slof"),
        ({"k": 900, "reference": 500}, "k = 900"),
        ({"rung": 99}, "no rung 99"),
        ({"plan": "nowhere"}, "No plan at"),
        ({"model": "nowhere"}, "No model at"),
    ],
)
def test_a_wrong_request_gets_a_sentence(story, tmp_path, request_, sentence):
    arguments = {"pairs": story / "poisoned", "model": story / "models" / "poisoned"} | request_
    if "rung" in request_:
        del arguments["model"]
    with pytest.raises(BezoarError, match=sentence):
        scan(**arguments, to=tmp_path / "run")
