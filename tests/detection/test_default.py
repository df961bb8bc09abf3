from __future__ import annotations

import numpy as np
import pytest

from bezoar.detection import WITNESSES, Evidence, Look, default, judge
from bezoar.detection.calibration import calibrate
from bezoar.detection.robust import robust_z
from bezoar.detection.together import groups, lift, together
from bezoar.run import BezoarError, random

N, PLANTED = 600, 24


def world():
    """Planted pairs come first: a cluster apart, fits that fall under views, and a common patch."""
    generator = random(0, "default")
    image = generator.standard_normal((N, 16)).astype(np.float32)
    image[:PLANTED] = 0.2 * image[:PLANTED] + 2.5
    text = generator.standard_normal((N, 16)).astype(np.float32)
    text[:PLANTED] = text[0]
    views = generator.normal(0.5, 0.05, (N, 4))
    views[:PLANTED] -= 0.3
    pixels = generator.integers(0, 256, (N, 3, 12, 12), dtype=np.uint8)
    pixels[:PLANTED, :, 6:10, 6:10] = generator.integers(0, 256, (3, 4, 4), dtype=np.uint8)
    words = [f"scene {row % 10}" for row in range(N)]
    words[:PLANTED] = ["a planted word"] * PLANTED
    given = {"image": image, "text": text, "view_similarity": views, "pixels": pixels, "captions": words}
    return {**given, "similarity": generator.normal(0.5, 0.05, N)}


def test_six_witnesses_find_what_was_planted():
    said = default.testify(Evidence(**world()))
    assert said.spoke == (*(witness.name for witness in WITNESSES), default.FELLOWS)
    assert said.silent == {}
    assert judge(said.score, np.arange(N) < PLANTED).average_precision > 0.99


def test_the_score_is_the_sum_of_the_robust_z():
    said = default.testify(Evidence(**world()))
    z = {witness.name: robust_z(said.raw[witness.name]) for witness in WITNESSES}
    pattern = np.maximum(z["shared-pattern"], z["word-pattern"])
    looks = np.maximum(z["view-mismatch"] + z["view-drop"], 2 * z["view-constancy"])
    assert np.allclose(said.alone, z["density"] + looks + pattern)
    assert np.allclose(said.score, said.alone + said.z[default.FELLOWS])
    # The weight counts in deviations of the sum, as it does where scores are shared later.
    shared = together(said.alone, Evidence(**world()).caption_space)
    assert np.allclose(robust_z(said.score), robust_z(shared))
    assert np.allclose(said.raw["density"], Evidence(**world()).purged_density(Look()).slof())


@pytest.mark.parametrize(("gone", "silent"), [
    (["pixels"], {"shared-pattern", "word-pattern"}),
    (["view_similarity"], {"view-mismatch", "view-drop", "view-constancy"}),
    (["image"], {"density"}),
    (["text", "captions"], {"shared-pattern", "word-pattern", "fellows"}),
    (["captions"], {"word-pattern"}),
    (["pixels", "view_similarity"], {"shared-pattern", "word-pattern", "view-mismatch", "view-drop", "view-constancy"}),
])  # fmt: skip
def test_who_cannot_speak_is_left_out_with_a_reason(gone, silent):
    said = default.testify(Evidence(**{**world(), **dict.fromkeys(gone)}))
    assert set(said.silent) == silent
    assert all(reason.startswith("needs ") for reason in said.silent.values())
    assert set(said.spoke) == {*(witness.name for witness in WITNESSES), default.FELLOWS} - silent
    assert np.isfinite(said.score).all()


def test_a_witness_without_spread_abstains():
    said = default.testify(Evidence(**{**world(), "image": np.ones((N, 16), np.float32)}))
    assert said.silent == {"density": "finds all pairs alike"}
    assert "density" in said.raw


def test_nobody_can_speak():
    with pytest.raises(BezoarError, match="No witness can speak: density needs image vectors"):
        default.testify(Evidence(captions=["a", "b"]))


def test_purging_helps_where_poison_fills_the_reference():
    given = world()
    held = Evidence(image=given["image"], k=40, m=300)
    truth = np.arange(N) < PLANTED
    assert judge(held.purged_density(Look()).slof(), truth).auroc >= judge(held.density(Look()).slof(), truth).auroc


@pytest.mark.parametrize("n", [4, 5, 9, 33])
def test_very_small_sets(n):
    image = random(0, "small").standard_normal((n, 3)).astype(np.float32)
    said = default.testify(Evidence(image=image))
    assert np.isfinite(said.score).all()


def campaign_among_like_captions(seed):
    """Twelve topics; of the 200 pairs of one 100 are planted, and what is suspected of them falls upon the others."""
    generator = np.random.default_rng(seed)
    topics, planted = generator.integers(0, 12, 2400), np.zeros(2400, bool)
    planted[np.flatnonzero(topics == 3)[:100]] = True
    centres = generator.normal(size=(12, 16))
    evidence = Evidence(text=(centres[topics] + 0.3 * generator.normal(size=(2400, 16))).astype(np.float32))
    alone = generator.normal(size=2400) + 5.0 * planted
    fellows = lift(alone, evidence.caption_space)
    said = default.Testimony(alone + 4.0 * fellows, alone, {}, {}, ("density", default.FELLOWS), {})
    return evidence, said, planted


@pytest.mark.parametrize("seed", range(3))
def test_honest_pairs_are_not_flagged_for_sharing_a_campaigns_captions(seed):
    evidence, said, planted = campaign_among_like_captions(seed)
    decided = default.decide(evidence, said)
    assert decided.refusal is None
    assert decided.flagged[planted].mean() > 0.9
    assert decided.flagged[~planted].sum() <= 0.1 * decided.flagged.sum()
    before = calibrate(said.score, groups=groups(said.alone, evidence.caption_space, 0.05))
    assert before.refusal is not None or before.flagged[~planted].sum() > decided.flagged[~planted].sum()
