"""Published detectors in a scan: what each needs is made where it is asked for, and refused where it cannot be."""

import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch

from bezoar.embeddings import encode_caption_sets
from bezoar.jobs.embed import embed
from bezoar.jobs.scan import scan
from bezoar.models import create, load, save
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError

SLOW = {"strip", "scale-up", "teco", "cognitive-distillation"}


def table(folder):
    return parquet.read_table(folder / "scores.parquet").to_pydict()


@pytest.fixture(scope="module")
def model(clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save(clip, folder)
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    save(create("tiny-vit", side=48, seed=9), folder)
    return folder


def test_all_of_a_scan_that_trains_has_the_early_fit_and_nothing_slow(world, tmp_path):
    scan(world, to=tmp_path / "run", rung=0, detectors="all", limit=200)
    scores = table(tmp_path / "run")
    assert {"abl", "profile-gap", "safeclip-mixture", "frequency", "slof"} <= set(scores)
    assert not SLOW & set(scores)
    np.testing.assert_allclose(scores["abl"], np.load(tmp_path / "run" / "early.npy"))
    assert np.std(scores["abl"]) > 0


def test_a_reference_model_speaks_with_its_own_canvas(world, model, other, tmp_path):
    scan(world, to=tmp_path / "run", model=model, independent=other, detectors="cosine-filter,clip-score")
    towers, pairs = load(other), open_pairs(world)
    pixels = torch.from_numpy(np.stack([pairs.pixels(row, towers.canvas) for row in range(8)]))
    with torch.no_grad():
        vectors = towers.encode_image(towers.preprocess(pixels))
    texts = torch.from_numpy(encode_caption_sets(towers, pairs.captions[:8]))
    scores = table(tmp_path / "run")
    np.testing.assert_allclose(scores["cosine-filter"][:8], -torch.cosine_similarity(vectors, texts), atol=2e-3)
    assert not np.allclose(scores["cosine-filter"], scores["clip-score"], atol=1e-2)


def test_changed_pictures_go_through_the_model_of_the_scan(world, model, tmp_path):
    def untouched(evidence):
        rows = np.arange(32)
        with torch.no_grad():
            fits = evidence.fits(torch.from_numpy(evidence.pixels[rows]).float(), rows)
        np.testing.assert_allclose(fits, evidence.fit[rows], atol=2e-3)
        return np.zeros(len(evidence))

    scan(world, to=tmp_path / "run", model=model, detectors=["scale-up", untouched], limit=100)
    assert np.isfinite(table(tmp_path / "run")["scale-up"]).all()


def test_all_of_a_folder_of_vectors_is_what_vectors_tell(world, model, tmp_path):
    embed(world, model=model, to=tmp_path / "vectors")
    scan(embeddings=tmp_path / "vectors", to=tmp_path / "run", detectors="all")
    scores = set(table(tmp_path / "run"))
    assert {"profile-gap", "safeclip-mixture", "slof"} <= scores
    assert not {"frequency", "abl", "cosine-filter", *SLOW} & scores


def test_a_quick_look_may_ask_for_frequencies(world, tmp_path):
    scan(world, to=tmp_path / "run", quick=True, detectors="frequency")
    assert np.std(table(tmp_path / "run")["frequency"]) > 0


def test_a_model_without_its_early_fit_is_trained_again(world, tmp_path, monkeypatch):
    """The scan was stopped after training, and somebody took the file away."""
    monkeypatch.setattr("bezoar.jobs.scan.testify", _stopped)
    with pytest.raises(KeyboardInterrupt):
        scan(world, to=tmp_path / "run", rung=0, detectors="abl", limit=100)
    early = np.load(tmp_path / "run" / "early.npy")
    (tmp_path / "run" / "early.npy").unlink()
    with pytest.raises(KeyboardInterrupt):
        scan(world, to=tmp_path / "run", rung=0, detectors="abl", limit=100)
    np.testing.assert_array_equal(np.load(tmp_path / "run" / "early.npy"), early)


def _stopped(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"detectors": "abl"}, "abl needs the fit of picture and caption early in training"),
        ({"detectors": "cosine-filter"}, "cosine-filter needs the fit by a reference model"),
        ({"detectors": "slof", "independent": "self"}, "Nothing asks what the --independent model says"),
        ({"detectors": "cosine-filter", "independent": "nowhere"}, "No model at"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_written(world, model, tmp_path, asked, sentence):
    if asked.get("independent") == "self":
        asked = {**asked, "independent": model}
    with pytest.raises(BezoarError, match=sentence):
        scan(world, to=tmp_path / "run", model=model, **asked)
    assert not (tmp_path / "run").exists()
