"""Single pictures taken for what the attacker said, against loops."""

import numpy as np
import pytest
from tests.evaluation.words import by_name, pixels_of

from bezoar.attacks import Goal
from bezoar.evaluation.targeted import planted_pixels, targeted_success
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError

ROWS = (200, 210, 220, 230, 240)


def goals_of(pairs, targets):
    keys = [pairs.keys[row] for row in ROWS]
    return [Goal(f"{key} to {word}", word, images=(key,)) for key, word in zip(keys, targets, strict=True)]


@pytest.fixture(scope="module")
def planted(world):
    return open_pairs(world)


def test_success_by_class_equals_a_loop_over_pictures(bench, planted, class_order):
    pixels = planted_pixels(planted, [planted.keys[row] for row in ROWS], bench.canvas)
    classes, ordered = planted.classes, class_order(pixels, bench.class_texts.vectors)
    # Targets that some pictures are found at once, at rank 4 and last of all.
    targets = [classes[order[place]] for order, place in zip(ordered, (0, 0, 3, 3, 11), strict=True)]
    rows = by_name(targeted_success(bench, goals_of(planted, targets), planted, by_class=True))
    assert [(name, row.value) for name, row in rows.items() if name != "psr-true-class"] == [
        ("psr", 2 / 5),
        ("psr@5", 4 / 5),
        ("psr@10", 4 / 5),
    ]
    true = [classes.index(classes[planted.labels[row]]) == order[0] for row, order in zip(ROWS, ordered, strict=True)]
    assert rows["psr-true-class"].value == np.mean(true)
    assert {(row.n, row.goal) for row in rows.values()} == {(5, None)}


def test_success_by_caption_counts_every_caption_that_names_the_target(bench_of, several, planted, cosines):
    bench, targets = bench_of(several), ["star", "moon", "star", "fish", "boat"]
    pixels = planted_pixels(planted, [planted.keys[row] for row in ROWS], bench.canvas)
    flat = [caption for own in several.captions for caption in own]
    order = np.argsort(-cosines(pixels, flat), axis=1)
    rows = by_name(targeted_success(bench, goals_of(planted, targets), planted, by_class=False))
    for name, k in (("psr", 1), ("psr@5", 5), ("psr@10", 10)):
        hits = [any(word in flat[place] for place in own[:k]) for word, own in zip(targets, order, strict=True)]
        assert rows[name].value == np.mean(hits)
    assert rows["psr@10"].value > 0
    assert "psr-true-class" not in rows


def test_pictures_without_labels_have_no_true_class(bench, several):
    goals = [Goal("the goal", "star", images=(several.keys[3],))]
    assert "psr-true-class" not in by_name(targeted_success(bench, goals, several, by_class=True))


def test_a_picture_of_a_goal_is_itself(bench, planted):
    pixels = planted_pixels(planted, [planted.keys[5]], bench.canvas)
    np.testing.assert_array_equal(pixels[0], pixels_of(bench)[5])


@pytest.mark.parametrize(("name", "sentence"), [(None, "--planted"), ("other", 'No picture "nobody"')])
def test_a_picture_that_is_not_there_gets_a_sentence(bench, planted, name, sentence):
    with pytest.raises(BezoarError, match=sentence):
        planted_pixels(planted if name else None, ["nobody"], bench.canvas)
