"""A scan of vectors alone leaves them on disk, and says what it would say of the same vectors in memory."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from bezoar import scan
from bezoar.detection.default import decide
from bezoar.detection.default import testify as ask
from bezoar.detection.evidence import Evidence
from bezoar.embeddings import Shards
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError

LOST = 37
CAPTIONS = [f"a picture of topic {row % 7}" for row in range(600)]


@pytest.fixture
def tables():
    """Image and text vectors of 600 pairs on seven topics; one pair has no picture."""
    draw = np.random.default_rng(0)
    centres, topics = draw.normal(size=(7, 12)), np.arange(600) % 7
    image = (2 * centres[topics] + draw.normal(size=(600, 12))).astype(np.float16)
    image[LOST] = 0
    return image, (centres[topics] + 0.3 * draw.normal(size=(600, 12))).astype(np.float16)


@pytest.fixture
def folder(tables, tmp_path):
    """The same in three shards of uneven sizes, in the layout of clip-retrieval."""
    place = tmp_path / "vectors"
    for kind in ("img_emb", "text_emb", "metadata"):
        (place / kind).mkdir(parents=True)
    for number, rows in enumerate(np.split(np.arange(600), [11, 400])):
        for kind, table in zip(("img_emb", "text_emb"), tables, strict=True):
            np.save(place / kind / f"{kind}_{number}.npy", table[rows])
        named = {"key": [f"{row:04d}" for row in rows], "caption": [CAPTIONS[row] for row in rows]}
        parquet.write_table(pa.table(named), place / "metadata" / f"metadata_{number}.parquet")
    return place


def test_vectors_alone_are_scored_as_if_they_lay_in_memory(tables, folder, tmp_path):
    answer = scan(embeddings=folder, to=tmp_path / "run", seed=3)
    usable = np.flatnonzero(np.arange(600) != LOST)
    image, text = (table[usable].astype(np.float32) for table in tables)
    evidence = Evidence(image=image, text=text, captions=[CAPTIONS[row] for row in usable], seed=3)
    said = ask(evidence)
    assert any(line.startswith("Silent: view-mismatch needs") for line in answer.lines)
    written = parquet.read_table(tmp_path / "run" / "scores.parquet").to_pydict()
    assert written["reason"][LOST] == "no usable vector"
    np.testing.assert_allclose(np.delete(np.array(written["score"]), LOST).astype(float), said.score, rtol=1e-12)
    assert np.delete(np.array(written["flagged"]), LOST).tolist() == decide(evidence, said).flagged.tolist()
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["read"] == answer.summary["read"] == 599


def test_no_table_is_read_as_a_whole_in_one_piece(folder, tmp_path, monkeypatch):
    whole, read = [], Shards.__array__

    def watched(table, *given):
        whole.append(len(table))
        return read(table, *given)

    monkeypatch.setattr(Shards, "__array__", watched)
    answer = scan(embeddings=folder, to=tmp_path / "run")
    assert answer.summary["read"] == 599
    assert whole == []


def test_a_function_of_ones_own_that_changed_is_asked_again(folder, tmp_path):
    def own(evidence):
        return np.zeros(len(evidence))

    scan(embeddings=folder, to=tmp_path / "run", detectors=[own])

    def own(evidence):
        return np.arange(len(evidence), dtype=float)

    with pytest.raises(BezoarError, match="detectors"):
        scan(embeddings=folder, to=tmp_path / "run", detectors=[own])


def test_a_function_whose_column_would_be_lost_is_refused(folder, tmp_path):
    def score(evidence):
        return np.zeros(len(evidence))

    with pytest.raises(BezoarError, match="a column score of its own"):
        scan(embeddings=folder, to=tmp_path / "run", detectors=[score])


@pytest.mark.parametrize("idle", [{"minutes": 5.0}, {"rung": 2}, {"prompts": "default"}])
def test_what_nobody_would_heed_is_refused(folder, tmp_path, idle):
    with pytest.raises(BezoarError, match=r"model of the scan's own|no captions are made"):
        scan(embeddings=folder, to=tmp_path / "run", **idle)


def test_vectors_of_two_widths_are_refused(folder, tmp_path):
    for file in (folder / "text_emb").iterdir():
        np.save(file, np.load(file)[:, :5])
    with pytest.raises(BezoarError, match="image vectors of 12 numbers and text vectors of 5"):
        scan(embeddings=folder, to=tmp_path / "run")


def test_vectors_of_other_captions_are_told(world, folder, tmp_path):
    keys = [*open_pairs(world).keys, *(f"another-{number}" for number in range(200))]
    for file in sorted((folder / "metadata").iterdir()):
        table = parquet.read_table(file).to_pydict()
        table["key"], keys = keys[: len(table["key"])], keys[len(table["key"]) :]
        parquet.write_table(pa.table(table), file)
    answer = scan(world, embeddings=folder, to=tmp_path / "run")
    assert any("made of another caption" in note for note in answer.summary["notes"])


def test_all_and_a_name_beside_it_are_both_asked(folder, tmp_path):
    scan(embeddings=folder, to=tmp_path / "run", detectors="all,dao:text:unit")
    columns = parquet.read_table(tmp_path / "run" / "scores.parquet").column_names
    assert {"slof", "dao", "dao:text:unit"} <= set(columns)
