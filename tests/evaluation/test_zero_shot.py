"""Zero-shot figures, against open_clip's own classifier and against loops."""

import numpy as np
import open_clip
import pytest
import torch

from bezoar.evaluation.zero_shot import accuracy, attack_success, class_vectors
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError

PROMPTS = ("a {}", "a picture of a {}", "there is a {}")


@pytest.fixture(scope="module")
def pictures(world, clip):
    from bezoar.pairs import open_pairs

    pairs = open_pairs(world).select(range(90))
    return Decoded(pairs, clip.canvas).batch(range(90)), pairs.labels, pairs.classes


@pytest.fixture(scope="module")
def texts(clip, pictures):
    return class_vectors(clip, pictures[2], PROMPTS)


def values(rows):
    return {row.name: row.value for row in rows}


def predictions(clip, pixels, texts):
    """The order of classes for each picture, best first, one picture at a time."""
    with torch.inference_mode():
        vectors = [clip.encode_image(clip.preprocess(torch.from_numpy(one[None])))[0].numpy() for one in pixels]
    return [sorted(range(len(texts)), key=lambda row: -float(vector @ texts[row])) for vector in vectors]


def brighten(_row, picture):
    return 255 - picture // 4


def test_class_vectors_equal_open_clips_classifier(clip, pictures, texts):
    templates = [
        lambda name, prompt=prompt: prompt.replace("a {}", "an {}" if name[0] in "aeiou" else "a {}").format(name)
        for prompt in PROMPTS
    ]
    with torch.inference_mode():
        weights = open_clip.build_zero_shot_classifier(
            clip.module, tokenizer=clip.tokenizer, classnames=list(pictures[2]), templates=templates, device="cpu"
        )
    np.testing.assert_allclose(texts, weights.T.numpy(), rtol=0, atol=1e-5)


def test_accuracy_equals_a_loop_over_pictures(clip, pictures, texts):
    pixels, labels, _ = pictures
    ordered = predictions(clip, pixels, texts)
    rows = accuracy(clip, pixels, labels, texts)
    for k in (1, 5, 10):
        naive = np.mean([label in order[:k] for label, order in zip(labels, ordered, strict=True)])
        assert values(rows)[f"zero-shot-top{k}"] == pytest.approx(naive)
    assert {row.n for row in rows} == {90}
    assert values(rows)["zero-shot-top1"] < values(rows)["zero-shot-top5"] < values(rows)["zero-shot-top10"] < 1


def test_top_k_is_left_out_where_there_are_no_more_classes(clip, pictures, texts):
    pixels, labels, _ = pictures
    few = labels < 5
    assert values(accuracy(clip, pixels[few], labels[few], texts[:5])).keys() == {"zero-shot-top1"}


def test_attack_success_equals_a_loop_and_leaves_the_target_out(clip, pictures, texts):
    pixels, labels, _ = pictures
    triggered = np.stack([brighten(row, picture) for row, picture in enumerate(pixels)])
    plain, changed = predictions(clip, pixels, texts), predictions(clip, triggered, texts)
    # The class that the trigger favours most, so that there is something to count.
    target = int(np.bincount([order[0] for order in changed]).argmax())
    others = [row for row in range(90) if labels[row] != target]
    found = values(attack_success(clip, pixels, labels, texts, target, brighten))
    assert found["asr"] == pytest.approx(np.mean([changed[row][0] == target for row in others]))
    assert found["asr-base"] == pytest.approx(np.mean([plain[row][0] == target for row in others]))
    assert found["asr-true-class"] == pytest.approx(np.mean([changed[row][0] == labels[row] for row in others]))
    assert found["asr"] > found["asr-base"]


def test_the_trigger_is_drawn_on_each_query_once_and_never_on_the_target(clip, pictures, texts):
    pixels, labels, _ = pictures
    drawn = []

    def draw(row, picture):
        drawn.append(row)
        assert np.array_equal(picture, pixels[row])
        return picture

    rows = attack_success(clip, pixels, labels, texts, 3, draw)
    assert drawn == [row for row in range(90) if labels[row] != 3]
    assert {row.n for row in rows} == {len(drawn)} != {90}
    assert values(rows)["asr"] == values(rows)["asr-base"], "a trigger that does nothing adds nothing"


def test_pictures_of_the_target_alone_get_a_sentence(clip, pictures, texts):
    pixels, labels, _ = pictures
    own = labels == 3
    with pytest.raises(BezoarError, match="target's own class"):
        attack_success(clip, pixels[own], labels[own], texts, 3, brighten)
