"""Zero-shot figures, against open_clip's own classifier and against loops."""

import numpy as np
import open_clip
import pytest
import torch
from tests.evaluation.words import PROMPTS, by_name, pixels_of

from bezoar.evaluation.zero_shot import accuracy, class_answers, class_vectors


def test_class_vectors_equal_open_clips_classifier(clip, bench):
    templates = [
        lambda name, prompt=prompt: prompt.replace("a {}", "an {}" if name[0] in "aeiou" else "a {}").format(name)
        for prompt in PROMPTS
    ]
    with torch.inference_mode():
        weights = open_clip.build_zero_shot_classifier(
            clip.module,
            tokenizer=clip.tokenizer,
            classnames=list(bench.pairs.classes),
            templates=templates,
            device="cpu",
        )
    texts = class_vectors(clip, bench.pairs.classes, PROMPTS)
    np.testing.assert_allclose(texts, weights.T.numpy(), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(bench.class_texts.vectors, texts)


def test_accuracy_equals_a_loop_over_pictures(bench, class_order):
    ordered = class_order(pixels_of(bench), bench.class_texts.vectors)
    rows = by_name(accuracy(bench))
    for k in (1, 5, 10):
        naive = np.mean([label in order[:k] for label, order in zip(bench.pairs.labels, ordered, strict=True)])
        assert rows[f"zero-shot-top{k}"].value == pytest.approx(naive)
    values = [row.value for row in rows.values()]
    assert values == sorted(set(values)), "the model is no constant"
    assert {(row.n, row.goal) for row in rows.values()} == {(90, None)}
    assert "12 class texts, mean of 3 templates" in rows["zero-shot-top5"].protocol


@pytest.mark.parametrize(
    ("word", "found"),
    [("crane", [1]), ("Crane", [1]), ("dog", [2, 3]), ("dogs", []), ("hot dog", [2]), ("zebra", []), ("bird", [])],
)
def test_a_class_of_the_name_counts_alone_else_all_that_name_it(word, found):
    classes = ("crane tower", "crane", "hot dog", "dog house", "birdcage")
    assert np.flatnonzero(class_answers(classes, word)).tolist() == found
