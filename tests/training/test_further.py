"""What only some detectors ask for is the model's own word."""

import numpy as np
import torch

from bezoar.detection import Evidence
from bezoar.embeddings import encode_caption_sets, encode_pictures
from bezoar.pairs.decoded import Decoded
from bezoar.run import Silent
from bezoar.training.further import add_early, add_tower, fit_by


def test_the_tower_that_is_added_gives_the_vectors_that_are_there(world_pairs, clip):
    pixels = Decoded(world_pairs, clip.canvas).batch(range(64))
    vectors = encode_pictures(clip, pixels)[0]
    held = add_tower(Evidence(image=vectors, text=vectors, pixels=pixels), clip, "cpu")
    pictures = torch.from_numpy(pixels).float().requires_grad_()
    seen = held.encode(pictures)
    np.testing.assert_allclose(seen.detach(), vectors, rtol=1e-3, atol=1e-3)
    (slope,) = torch.autograd.grad(seen.square().sum(), [pictures])
    assert float(slope.abs().max()) > 0


def test_without_a_model_nothing_is_added(world_pairs):
    held = Evidence(image=np.ones((4, 2)))
    assert add_tower(held, None, "cpu") is held


def test_the_early_fit_is_that_of_the_usable_pairs(tmp_path):
    np.save(tmp_path / "early.npy", np.arange(5, dtype=np.float32))
    held = add_early(Evidence(image=np.ones((3, 2))), tmp_path / "early.npy", 5, np.array([0, 2, 4]))
    assert held.early.tolist() == [0, 2, 4]


def test_the_fit_by_a_model_is_its_cosine_and_made_once(world_pairs, clip, tmp_path, monkeypatch):
    pairs = world_pairs.select(np.arange(70))
    fits = fit_by(clip, pairs, tmp_path, device="cpu", progress=Silent())
    images = encode_pictures(clip, Decoded(pairs, clip.canvas).batch(range(70)))[0]
    texts = torch.from_numpy(encode_caption_sets(clip, pairs.captions))
    np.testing.assert_allclose(fits, torch.cosine_similarity(torch.from_numpy(images), texts), atol=2e-3)
    monkeypatch.setattr(type(clip), "encode_image", None)
    np.testing.assert_array_equal(fit_by(clip, pairs, tmp_path, device="cpu", progress=Silent()), fits)
