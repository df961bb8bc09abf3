from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from bezoar.detection import DETECTORS, TABLE, Evidence, choose_detectors, parse
from bezoar.detection.density import measure
from bezoar.run import BezoarError, random

N = 120


def evidence(**changes):
    generator = random(0, "evidence")
    given = {
        "image": generator.standard_normal((N, 8)).astype(np.float32),
        "text": 5 * generator.standard_normal((N, 8)).astype(np.float32),
        "view_similarity": generator.uniform(-1, 1, (N, 3)),
        "pixels": generator.integers(0, 256, (N, 3, 8, 8), dtype=np.uint8),
        "captions": [f"thing {i % 7}" for i in range(N)],
        "encode": lambda pictures: pictures[:, :, 0].flatten(1)[:, :8],
        "early": generator.uniform(-1, 1, N),
        "independent": generator.uniform(-1, 1, N),
    }
    return Evidence(**{**given, **changes})


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("name", DETECTORS)
def test_every_row_gives_one_finite_number_a_pair_and_the_same_again(name):
    scores = parse(name)(evidence())
    assert scores.shape == (N,)
    assert scores.dtype == np.float64
    assert np.array_equal(scores, parse(name)(evidence()))


def test_the_table_has_the_promised_names_and_tells_about_each():
    assert list(DETECTORS) == [
        "k-distance", "slof", "dao", "lid", "isolation-forest", "clip-score", "norm",
        "view-mismatch", "view-drop", "view-constancy", "shared-pattern", "word-pattern",
        "profile-gap", "abl", "safeclip-mixture", "cosine-filter", "frequency",
        "strip", "scale-up", "teco", "cognitive-distillation",
    ]  # fmt: skip
    assert len(DETECTORS) == len(TABLE)
    assert all(row.paper and row.summary.endswith(".") and row.needs for row in TABLE)


@pytest.mark.parametrize(("spec", "column"), [
    ("slof", "slof"),
    ("slof:image:raw", "slof"),
    ("dao:unit:text", "dao:text:unit"),
    ("norm:joint", "norm:joint"),
])  # fmt: skip
def test_a_spec_becomes_a_column_that_can_be_asked_for_again(spec, column):
    assert parse(spec).name == column
    assert parse(column).name == column


@pytest.mark.parametrize(("spec", "sentence"), [
    ("slov", "no detector 'slov'. Did you mean slof"),
    ("slof:imge", "no choice 'imge'. Did you mean image"),
    ("clip-score:text", "clip-score takes no choice"),
    ("norm:unit", "all have the same norm"),
    ("", "no detector ''"),
])  # fmt: skip
def test_an_unknown_name_gets_the_nearest(spec, sentence):
    with pytest.raises(BezoarError, match=sentence):
        parse(spec)


def test_looks_choose_the_vectors():
    held = evidence()
    image, text = held.image, held.text
    _, sample = held.reference
    k = held.reference[0]
    joint = np.concatenate([t / np.median(np.linalg.norm(t, axis=1)) for t in (image, text)], axis=1)
    both = np.concatenate([unit(image), unit(text)], axis=1)
    for spec, vectors in {
        "slof": image,
        "slof:text": text,
        "slof:unit": unit(image),
        "slof:joint": joint,
        "slof:joint:unit": both,
    }.items():
        assert np.allclose(parse(spec)(held), measure(vectors, sample, k).slof(), rtol=1e-4), spec


def test_simple_rows_are_what_they_say():
    held = evidence()
    cosine = (unit(held.image) * unit(held.text)).sum(1)
    views = held.view_similarity.mean(1)
    assert np.allclose(parse("clip-score")(held), -cosine, atol=1e-6)
    assert np.allclose(parse("norm")(held), np.linalg.norm(held.image, axis=1))
    assert np.allclose(parse("view-mismatch")(held), -views)
    assert np.allclose(parse("view-drop")(held), cosine - views, atol=1e-6)
    given = evidence(image=None, text=None, similarity=np.linspace(0, 1, N))
    assert np.allclose(parse("clip-score")(given), -np.linspace(0, 1, N))


def test_isolation_forest_is_scikit_learns_with_the_sign_turned():
    held = evidence()
    held.image[7] = 50
    scores = parse("isolation-forest")(held)
    assert scores.argmax() == 7
    peer = -IsolationForest(random_state=0).fit(held.image).score_samples(held.image)
    assert np.corrcoef(scores, peer)[0, 1] > 0.8


def test_searches_are_shared():
    held = evidence()
    for name in ("k-distance", "slof", "dao", "lid"):
        parse(name)(held)
    assert len(held._densities) == 1


@pytest.mark.parametrize(("spec", "gone", "need"), [
    ("slof", ["image"], "slof needs image vectors"),
    ("norm:joint", ["text"], "norm needs image and text vectors"),
    ("clip-score", ["text"], "clip-score needs the similarity"),
    ("view-drop", ["view_similarity"], "view-drop needs the similarity of the picture's views"),
    ("shared-pattern", ["pixels"], "shared-pattern needs pictures"),
    ("shared-pattern", ["text", "captions"], "shared-pattern needs captions"),
    ("strip", ["encode"], "strip needs a model to ask how changed pictures fit"),
    ("teco", ["pixels"], "teco needs pictures"),
    ("cognitive-distillation", ["encode", "pixels"], "cognitive-distillation needs pictures, a model to ask"),
])  # fmt: skip
def test_what_is_missing_is_said(spec, gone, need):
    with pytest.raises(BezoarError, match=need):
        parse(spec)(evidence(**dict.fromkeys(gone)))


def test_shared_pattern_makes_do_with_words():
    assert np.isfinite(parse("shared-pattern")(evidence(text=None, image=None))).all()


def test_a_function_of_ones_own():
    def shortest_caption(held):
        return [-len(caption) for caption in held.captions]

    first, second = choose_detectors(["slof", shortest_caption])
    assert (first.name, second.name) == ("slof", "shortest_caption")
    assert second(evidence()).tolist() == [-7.0] * N


@pytest.mark.parametrize(("answer", "sentence"), [
    (np.zeros(3), "answered with shape"),
    (np.full(N, np.nan), "no finite number for pair 0"),
])  # fmt: skip
def test_an_unfit_answer_is_named(answer, sentence):
    def mine(held):
        return answer

    with pytest.raises(BezoarError, match=f"Detector mine .*{sentence}"):
        choose_detectors([mine])[0](evidence())


def test_a_list_in_one_string():
    assert [one.name for one in choose_detectors("slof, dao:text:unit,")] == ["slof", "dao:text:unit"]
    with pytest.raises(BezoarError, match="asked for twice"):
        choose_detectors("slof,slof:image")


def test_tables_of_different_length():
    with pytest.raises(BezoarError, match="120 of image vectors, 5 of text vectors"):
        evidence(text=np.zeros((5, 8)))
    with pytest.raises(BezoarError, match="nothing"):
        Evidence()


def test_a_nan_row_is_named():
    held = evidence()
    outside = int(np.setdiff1d(np.arange(N), held.reference[1])[0])
    held.image[outside] = np.nan
    with pytest.raises(BezoarError, match=f"Row {outside} of the query vectors"):
        parse("slof")(held)
