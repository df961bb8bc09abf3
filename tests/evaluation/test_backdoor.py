"""The success of triggers against loops: who is asked, what counts, and what a codec leaves."""

import numpy as np
import pytest
from tests.evaluation.words import by_name, pixels_of

from bezoar.attacks import Goal
from bezoar.attacks.compression import compressed
from bezoar.evaluation.backdoor import Marked, by_caption, by_class, caption_queries, class_queries
from bezoar.run import BezoarError


def drawn(bench, trigger):
    return np.stack([trigger.draw(one, key) for one, key in zip(pixels_of(bench), bench.pairs.keys, strict=True)])


def measured(bench, trigger, target, source=None):
    wanted = np.arange(12) == target
    goal = Goal("the goal", bench.pairs.classes[target], trigger="patch", source=source)
    return by_name(by_class(bench, goal, Marked.on(bench, trigger), bench.class_texts, wanted))


@pytest.fixture(scope="module")
def favoured(bench, class_order, patch):
    """What the model takes triggered and plain pictures for, and the class that the trigger favours most."""
    triggered, plain = drawn(bench, patch), pixels_of(bench)
    orders = [class_order(pixels, bench.class_texts.vectors) for pixels in (triggered, plain)]
    gain = [np.bincount([order[0] for order in own], minlength=12) for own in orders]
    return *orders, int((gain[0] - gain[1]).argmax())


def test_by_class_equals_a_loop_and_leaves_the_target_out(bench, patch, favoured):
    triggered, plain, target = favoured
    labels = bench.pairs.labels
    others = [row for row in range(90) if labels[row] != target]
    found = measured(bench, patch, target)
    for name, k in (("asr", 1), ("asr@5", 5), ("asr@10", 10)):
        assert found[name].value == pytest.approx(np.mean([target in triggered[row][:k] for row in others]))
    assert found["asr-base"].value == pytest.approx(np.mean([plain[row][0] == target for row in others]))
    assert found["asr-true-class"].value == pytest.approx(np.mean([triggered[row][0] == labels[row] for row in others]))
    assert found["asr"].value > found["asr-base"].value, "loop and code agree on more than zeros"
    assert {row.n for row in found.values()} == {len(others)} != {90}
    assert {row.goal for row in found.values()} == {"the goal"}


def test_the_protocol_says_everything(bench, patch, favoured):
    target = favoured[2]
    row = measured(bench, patch, target)["asr@5"]
    name = bench.pairs.classes[target]
    for part in (
        f"queries: {row.n} pictures",
        f"excluded: {name}",
        "trigger: patch(",
        "canvas: 32 px",
        "codec: png",
        "gallery: 12 class texts, mean of 3 templates",
        f"acceptable: 1 ({name})",
        "ranks start at 1",
        "k: 5",
    ):
        assert part in row.protocol


def test_pictures_of_the_source_alone_are_asked_where_a_goal_has_one(bench, patch):
    labels, classes = bench.pairs.labels, bench.pairs.classes
    rows = measured(bench, patch, classes.index("moon"), source="star")
    assert {row.n for row in rows.values()} == {(labels == classes.index("star")).sum()}
    assert "pictures about star" in rows["asr"].protocol


def test_jpeg_is_what_triggered_pictures_and_their_base_went_through(bench_of, world_pairs, patch, looked):
    bench = bench_of(world_pairs, count=12, jpeg=30)
    sent = [compressed(one, 30) for one in drawn(bench, patch)]
    np.testing.assert_allclose(Marked.on(bench, patch).vectors, looked(sent), rtol=0, atol=1e-4)
    plain = pixels_of(bench)
    np.testing.assert_allclose(bench.base, looked([compressed(one, 30) for one in plain]), rtol=0, atol=1e-4)
    np.testing.assert_allclose(bench.plain, looked(plain), rtol=0, atol=1e-4)
    assert not np.allclose(bench.base, bench.plain, rtol=0, atol=1e-3)
    assert all("codec: jpeg=30" in row.protocol for row in measured(bench, patch, 3).values())


def test_by_caption_equals_a_loop_and_leaves_out_who_names_the_target(bench_of, several, patch, cosines):
    bench = bench_of(several)
    flat = [caption for own in several.captions for caption in own]
    triggered, plain = cosines(drawn(bench, patch), flat), cosines(pixels_of(bench), flat)
    others = [row for row, own in enumerate(several.captions) if "star" not in own[0]]
    wanted = ["star" in caption for caption in flat]

    def share(table, k):
        return np.mean([any(wanted[place] for place in np.argsort(-table[row])[:k]) for row in others])

    goal = Goal("the goal", "star", trigger="patch")
    rows = by_name(by_caption(bench, goal, Marked.on(bench, patch)))
    assert {name: row.value for name, row in rows.items()} == {
        "asr": pytest.approx(share(triggered, 1)),
        "asr@5": pytest.approx(share(triggered, 5)),
        "asr@10": pytest.approx(share(triggered, 10)),
        "asr-base": pytest.approx(share(plain, 1)),
    }
    assert rows["asr@10"].value > 0
    assert {row.n for row in rows.values()} == {len(others)} != {60}
    assert "gallery: 80 captions" in rows["asr"].protocol
    assert f"acceptable: {sum(wanted)} that name star" in rows["asr"].protocol


@pytest.mark.parametrize("word", ["zeppelin", "number"])
def test_a_target_that_no_caption_or_every_caption_names_gets_a_sentence(several, word):
    with pytest.raises(BezoarError, match="captions name the target"):
        caption_queries(several, Goal("the goal", word, trigger="patch"))


def test_pictures_of_the_target_alone_get_a_sentence(world_pairs):
    own = world_pairs.select(world_pairs.labels == 3)
    with pytest.raises(BezoarError, match="target's own class"):
        class_queries(own, np.arange(12) == 3)
