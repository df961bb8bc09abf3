"""The pattern that pairs with a common word share: against its formula, planted and clean."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bezoar.attacks import plan_attack
from bezoar.canvas import Canvas
from bezoar.detection.copies import normalised
from bezoar.detection.mirrored import decide_by_mirror
from bezoar.detection.patterns import fine_patterns
from bezoar.detection.word_pattern import word_pattern
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError

THINGS = ("dog", "cat", "tree", "cup")


def noise(n=240, side=9, seed=0):
    draw = np.random.default_rng(seed)
    captions = [
        f"A {THINGS[thing]} {['here', 'there', 'anywhere'][place]}!"
        for thing, place in draw.integers(0, (4, 3), (n, 2))
    ]
    return draw.integers(0, 256, (n, 3, side, side), dtype=np.uint8), captions


def test_equals_its_formula():
    pixels, captions = noise()
    h = fine_patterns(pixels, "cpu").numpy().astype(float)
    h -= h.mean(0)
    best, mirror = np.full(240, -np.inf), np.full(240, -np.inf)
    # "a" stands everywhere and does not count.
    for word in (*THINGS, "here", "there", "anywhere"):
        rows = [row for row, caption in enumerate(captions) if word in normalised(caption).split()]
        cosines = []
        for row in rows:
            others = h[[other for other in rows if other != row]].sum(0)
            cosines.append(h[row] @ others / np.linalg.norm(h[row]) / np.linalg.norm(others))
        median = np.median(cosines)
        z = (np.array(cosines) - median) / (median - np.quantile(cosines, 0.15865525393145707))
        best[rows], mirror[rows] = np.maximum(best[rows], z), np.maximum(mirror[rows], -z)
    found = word_pattern(pixels, captions)
    np.testing.assert_allclose(found.score, best, atol=1e-3)
    np.testing.assert_allclose(found.mirror, mirror, atol=1e-3)


@pytest.mark.parametrize("attack", ["badnets", "blended", "clean-label"])
def test_a_fixed_trigger_towards_one_word_is_found_and_its_word_named(world_pairs, attack):
    plan = plan_attack(f"{attack}:target=tree,count=8", world_pairs, canvas=40, seed=1)
    planted = world_pairs.with_plan(plan)
    pixels = Decoded(planted, Canvas(40)).batch(range(len(planted)))
    truth = np.isin(planted.keys, list(plan.keys))
    found = word_pattern(pixels, [" / ".join(own) for own in planted.captions])
    assert roc_auc_score(truth, found.score) > 0.95
    named = [word for word, here in zip(found.word, truth, strict=True) if here]
    assert named.count("tree") > len(named) / 2


def test_on_a_clean_set_nothing_is_flagged(world_pairs):
    pixels = Decoded(world_pairs, Canvas(40)).batch(range(400))
    found = word_pattern(pixels, [" / ".join(own) for own in world_pairs.captions])
    assert not decide_by_mirror(found.score, found.mirror, 0.05).flagged.any()


def test_rare_words_and_words_of_nearly_all_play_no_part():
    pixels, _ = noise(100)
    found = word_pattern(pixels, ["everywhere the same"] * 81 + ["rare words"] * 19)
    assert found.word == [""] * 100
    assert np.ptp(found.score) == 0
    assert word_pattern(pixels[:0], []).score.shape == (0,)


def test_pairs_without_a_word_lie_with_the_least_suspicious():
    pixels, captions = noise()
    captions[5] = "…"
    found = word_pattern(pixels, captions)
    assert found.word[5] == ""
    assert found.score[5] == found.score.min()


def test_chunks_and_maps_change_nothing(tmp_path, monkeypatch):
    from bezoar.detection import word_pattern as room

    pixels, captions = noise()
    whole = word_pattern(pixels, captions)
    monkeypatch.setattr(room, "_CHUNK", 37)
    monkeypatch.setattr(room, "_AT_ONCE", 1000)
    np.save(tmp_path / "pixels.npy", pixels)
    parts = word_pattern(np.load(tmp_path / "pixels.npy", mmap_mode="r"), captions)
    np.testing.assert_allclose(parts.score, whole.score, atol=1e-4)


def test_not_one_caption_a_picture():
    with pytest.raises(BezoarError, match="do not belong together"):
        word_pattern(noise()[0], ["one"])


def test_blank_pictures_stay_finite():
    pixels, captions = noise()
    pixels[:50] = 128
    assert np.isfinite(word_pattern(pixels, captions).score).all()
