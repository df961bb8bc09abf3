"""Signals, against direct computations and against what a scan of the same model says."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from bezoar.detection.default import testify as ask
from bezoar.detection.evidence import Evidence
from bezoar.embeddings import embed_pairs, encode_caption_sets
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError, Silent
from bezoar.training.signals import SIGNALS, Scene, evaluating
from bezoar.views import VIEWS


@pytest.fixture
def decoded(world_pairs, clip):
    return Decoded(world_pairs, clip.canvas)


@pytest.fixture
def scene(clip, decoded):
    """Every row but each seventh, so that rows and positions differ."""
    rows = np.array([position for position in range(len(decoded)) if position % 7])
    text = encode_caption_sets(clip, [decoded.pairs.captions[row] for row in rows])
    return Scene(clip, decoded, rows, text)


@pytest.fixture
def stored(clip, decoded, scene, tmp_path):
    """What a scan would embed, for the scene's rows: image vectors, text vectors, similarities of the views."""
    found = embed_pairs(decoded, clip, tmp_path, model="clip", looks=VIEWS, progress=Silent())
    image, text = (np.asarray(table[scene.rows], np.float32) for table in (found.image, found.text))
    return image, text, found.view_similarity[scene.rows]


def test_names_are_keys_and_cosine_is_among_them():
    assert {"cosine", "density", "view-mismatch", "default"} == set(SIGNALS)
    assert all(signal.name == name for name, signal in SIGNALS.items())


@pytest.mark.parametrize("name", SIGNALS)
def test_one_finite_number_a_row_and_a_module_as_it_was(name, scene):
    module = scene.towers.module
    frozen = next(module.visual.children())
    before = {key: value.clone() for key, value in module.state_dict().items()}
    module.train()
    frozen.eval()
    modes = [part.training for part in module.modules()]
    try:
        trust = SIGNALS[name].function(scene)
        assert [part.training for part in module.modules()] == modes
    finally:
        module.eval()
    assert trust.shape == (len(scene.rows),)
    assert trust.dtype == np.float64
    assert np.isfinite(trust).all()
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    np.testing.assert_array_equal(SIGNALS[name].function(scene), trust)


def test_modes_come_back_after_an_error(clip):
    def fail():
        with evaluating(clip.module):
            assert not any(part.training for part in clip.module.modules())
            raise KeyError

    clip.module.train()
    try:
        with pytest.raises(KeyError):
            fail()
        assert all(part.training for part in clip.module.modules())
    finally:
        clip.module.eval()


def test_cosine_is_that_of_picture_and_own_caption(scene, clip):
    trust = SIGNALS["cosine"].function(scene)
    captions = [scene.decoded.pairs.captions[row][0] for row in scene.rows]
    with torch.inference_mode():
        pixels = torch.from_numpy(scene.decoded.batch(scene.rows))
        images = clip.encode_image(clip.preprocess(pixels))
        direct = functional.cosine_similarity(images, clip.encode_text(clip.tokenize(captions)))
    np.testing.assert_allclose(trust, direct.numpy(), atol=1e-5)


def test_density_is_the_scans_own_turned_round(scene, stored):
    image, text, _ = stored
    witness = ask(Evidence(image=image, text=text)).raw["density"]
    # A scan keeps its vectors in float16.
    np.testing.assert_allclose(SIGNALS["density"].function(scene), -witness, rtol=2e-2)


def test_view_mismatch_is_the_scans_own_turned_round(scene, stored):
    image, text, views = stored
    witness = ask(Evidence(image=image, text=text, view_similarity=views)).raw["view-mismatch"]
    np.testing.assert_allclose(SIGNALS["view-mismatch"].function(scene), -witness, atol=2e-3)


def test_default_ranks_as_the_scan_of_all_witnesses_without_their_fellows(scene, stored):
    image, text, views = stored
    pixels = scene.decoded.batch(scene.rows)
    captions = [" / ".join(scene.decoded.pairs.captions[row]) for row in scene.rows]
    testimony = ask(Evidence(image=image, text=text, view_similarity=views, pixels=pixels, captions=captions))
    assert testimony.silent == {}
    trust = SIGNALS["default"].function(scene)
    assert np.corrcoef(trust, -testimony.alone)[0, 1] > 0.999


def test_default_is_refused_where_pictures_do_not_stay_in_memory(scene, world_pairs, clip):
    decoded = Decoded(world_pairs, clip.canvas, cap_bytes=0)
    with pytest.raises(BezoarError, match="do not fit into memory"):
        SIGNALS["default"].function(Scene(clip, decoded, scene.rows, scene.text))


def test_rows_and_caption_vectors_must_match(scene):
    with pytest.raises(BezoarError, match="no scene"):
        Scene(scene.towers, scene.decoded, scene.rows, scene.text[1:])
