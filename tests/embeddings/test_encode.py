"""Encoding: a pair's vector is its own, whatever stands beside it in a batch."""

import numpy as np
import pytest
import torch

from bezoar.embeddings import encode_caption_sets, encode_captions, encode_pictures, unit
from bezoar.embeddings.encode import BATCH
from bezoar.run import random

CAPTIONS = ["a red ball", "two dogs", "a ball in the snow", "a key on a beach", "nothing at all"]


def pictures(number):
    return random(0, "pictures").integers(0, 256, (number, 3, 32, 32), dtype=np.uint8)


class Listening:
    """A model that remembers what it was asked to tokenize."""

    def __init__(self, clip):
        self.clip, self.tokenized = clip, []

    def tokenize(self, captions):
        self.tokenized += captions
        return self.clip.tokenize(captions)

    def encode_text(self, tokens):
        return self.clip.encode_text(tokens)


@pytest.mark.parametrize("number", [1, BATCH - 1, BATCH, BATCH + 1, BATCH + 40])
def test_a_picture_has_one_vector_among_any_others(clip, number):
    pixels = pictures(BATCH + 40)
    among = encode_pictures(clip, pixels[:number])
    assert among.shape == (1, number, 128)
    for place in {0, number // 2, number - 1}:
        alone = encode_pictures(clip, pixels[place : place + 1])
        np.testing.assert_allclose(among[0, place], alone[0, 0], rtol=0, atol=1e-5)
    order = random(1, "order").permutation(number)
    np.testing.assert_allclose(encode_pictures(clip, pixels[:number][order])[0], among[0][order], rtol=0, atol=1e-5)


def test_a_vector_is_what_the_tower_says_of_the_picture(clip):
    pixels = pictures(3)
    with torch.inference_mode():
        said = clip.encode_image(clip.preprocess(torch.from_numpy(pixels))).numpy()
    np.testing.assert_allclose(encode_pictures(clip, pixels)[0], said, rtol=0, atol=1e-5)
    assert np.linalg.norm(said, axis=1).std() > 0, "raw vectors have lengths of their own"


def test_each_look_is_a_row_of_its_own(clip):
    pixels = pictures(5)
    seen = encode_pictures(clip, pixels, looks=[lambda shown: shown.flip(-1), lambda shown: 255 - shown])
    assert seen.shape == (3, 5, 128)
    for row, changed in zip(seen, (pixels, pixels[..., ::-1], 255 - pixels), strict=True):
        np.testing.assert_allclose(row, encode_pictures(clip, np.ascontiguousarray(changed))[0], rtol=0, atol=1e-5)
    assert np.abs(seen[0] - seen[1]).max() > 1e-3


def test_captions_encoded_together_equal_each_alone(clip):
    together = encode_captions(clip, CAPTIONS)
    alone = np.concatenate([encode_captions(clip, [caption]) for caption in CAPTIONS])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)
    assert len(np.unique(together.round(4), axis=0)) == len(CAPTIONS)


def test_a_caption_that_stands_often_is_encoded_once_and_stands_in_its_places(clip):
    listening = Listening(clip)
    often = [CAPTIONS[place % 2] for place in range(300)] + CAPTIONS
    vectors = encode_captions(listening, often)
    assert sorted(listening.tokenized) == sorted(CAPTIONS)
    single = {caption: encode_captions(clip, [caption])[0] for caption in CAPTIONS}
    np.testing.assert_allclose(vectors, [single[caption] for caption in often], rtol=0, atol=1e-5)


def test_several_captions_of_a_pair_are_their_mean_and_none_is_zero(clip):
    sets = [CAPTIONS[:2], [], CAPTIONS[2:3], CAPTIONS]
    vectors = encode_caption_sets(clip, sets)
    each = encode_captions(clip, CAPTIONS)
    wanted = [each[:2].mean(axis=0), np.zeros(128), each[2], each.mean(axis=0)]
    np.testing.assert_allclose(vectors, wanted, rtol=0, atol=1e-5)
    np.testing.assert_allclose(encode_caption_sets(clip, [[one] for one in CAPTIONS]), each, rtol=0, atol=1e-5)


def test_nothing_to_encode(clip):
    assert encode_pictures(clip, pictures(0)).shape[:2] == (1, 0)
    assert len(encode_captions(clip, [])) == 0
    assert encode_caption_sets(clip, [[], []]).shape == (2, 128)
    assert not encode_caption_sets(clip, [[], []]).any()


def test_unit_vectors_keep_their_direction_and_zero_stays():
    vectors = np.array([[3.0, 4.0], [0.0, 0.0], [-2.0, 0.0]], np.float32)
    np.testing.assert_allclose(unit(vectors), [[0.6, 0.8], [0, 0], [-1, 0]], rtol=1e-6)
    assert vectors[0, 0] == 3.0
