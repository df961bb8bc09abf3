"""Retrieval both ways against loops, with several captions a picture, and what an attack does to it."""

import numpy as np
import pytest
import torch

from bezoar.attacks.naming import names
from bezoar.evaluation.retrieval import retrieval, retrieval_attack_success
from bezoar.pairs import open_pairs
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError


@pytest.fixture(scope="module")
def pictures(world, clip):
    """60 pictures, each with its own caption and every third with a second one."""
    pairs = open_pairs(world).select(range(60))
    captions = [
        tuple(f"{own[0]}, number {place}{more}" for more in (("", " again") if place % 3 == 0 else ("",)))
        for place, own in enumerate(pairs.captions)
    ]
    return Decoded(pairs, clip.canvas).batch(range(60)), captions


def cosines(clip, pixels, captions):
    """Cosine of every picture with every caption, one pair at a time."""
    with torch.inference_mode():
        images = [clip.encode_image(clip.preprocess(torch.from_numpy(one[None])))[0].numpy() for one in pixels]
        texts = [clip.encode_text(clip.tokenize([caption]))[0].numpy() for caption in captions]
    unit = [[vector / np.linalg.norm(vector) for vector in vectors] for vectors in (images, texts)]
    return np.array([[float(image @ text) for text in unit[1]] for image in unit[0]])


def values(rows):
    return {row.name: row.value for row in rows}


def test_recall_equals_a_loop_both_ways(clip, pictures):
    pixels, captions = pictures
    flat = [(owner, caption) for owner, own in enumerate(captions) for caption in own]
    table = cosines(clip, pixels, [caption for _, caption in flat])
    rows = retrieval(clip, pixels, captions)
    for k in (1, 5, 10):
        to_text = [any(flat[place][0] == row for place in np.argsort(-table[row])[:k]) for row in range(60)]
        to_image = [flat[place][0] in np.argsort(-table[:, place])[:k] for place in range(len(flat))]
        assert values(rows)[f"r@{k}-image-to-text"] == pytest.approx(np.mean(to_text))
        assert values(rows)[f"r@{k}-text-to-image"] == pytest.approx(np.mean(to_image))
    counts = {row.name.split("-", 1)[1]: row.n for row in rows}
    assert counts == {"image-to-text": 60, "text-to-image": len(flat)}
    assert len(flat) == 80


def test_attack_success_equals_a_loop_and_leaves_out_who_names_the_target(clip, pictures):
    pixels, captions = pictures
    flat = [caption for own in captions for caption in own]
    triggered, plain = cosines(clip, 255 - pixels // 3, flat), cosines(clip, pixels, flat)
    # What some triggered pictures find first, so that there is something to count.
    target = {flat[place] for place in triggered[:25].argmax(axis=1)}
    wanted = [caption in target for caption in flat]
    others = [row for row, own in enumerate(captions) if not target & set(own)]
    assert len(others) < 60
    drawn = []

    def draw(row, picture):
        drawn.append(row)
        return 255 - picture // 3

    rows = retrieval_attack_success(clip, pixels, captions, target.__contains__, draw)
    assert drawn == others
    assert {row.n for row in rows} == {len(others)}

    def share(table, k):
        return np.mean([any(wanted[place] for place in np.argsort(-table[row])[:k]) for row in others])

    assert values(rows) == {
        "asr": pytest.approx(share(triggered, 1)),
        "asr@10": pytest.approx(share(triggered, 10)),
        "asr-base": pytest.approx(share(plain, 1)),
    }
    assert values(rows)["asr"] > values(rows)["asr-base"], "loop and code agree on more than zeros"


@pytest.mark.parametrize("word", ["zeppelin", "a"])
def test_a_target_that_nobody_or_everybody_names_gets_a_sentence(clip, pictures, word):
    pixels, captions = pictures
    captions = [(f"{own[0]} a",) for own in captions]
    with pytest.raises(BezoarError, match="captions name the target"):
        retrieval_attack_success(clip, pixels, captions, names(word).search, lambda _, picture: picture)
