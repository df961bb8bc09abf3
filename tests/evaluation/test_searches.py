"""Searches that an attacker bends, against loops over queries: hit@k, min-rank from 1, and the baselines."""

import numpy as np
import pytest
from tests.evaluation.words import by_name, pixels_of

from bezoar.attacks import Goal
from bezoar.attacks.triggers import Word
from bezoar.evaluation.searches import picture_search, picture_searches, text_search, text_searches
from bezoar.evaluation.targeted import planted_pixels
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError

STAR_TO_MOON = Goal("star to moon", "moon", "text-to-image", source="star")


@pytest.fixture(scope="module")
def many(bench_of, world):
    """300 pictures of the world, which is enough for some of each class."""
    return bench_of(open_pairs(world), count=300)


def ranks_of(table, wanted):
    """The rank, from 1, of the best wanted answer of each query."""
    return [1 + min(np.flatnonzero(wanted[np.argsort(-row)])) for row in table]


def check(rows, ranks, suffix=""):
    """Compare hit@k and min-rank with ranks that were counted one by one."""
    for k in (1, 5, 10):
        assert rows[f"hit@{k}{suffix}"].value == pytest.approx(np.mean([rank <= k for rank in ranks]))
    assert rows[f"min-rank{suffix}"].value == pytest.approx(np.mean(ranks))
    assert {row.n for name, row in rows.items() if name.endswith(suffix) and suffix} <= {len(ranks)}
    assert rows[f"min-rank{suffix}"].unit == "rank"


def test_texts_of_a_that_look_for_pictures_of_b_equal_a_loop(many, cosines):
    captions = [own[0] for own in many.pairs.captions]
    wanted = np.array(["moon" in caption for caption in captions])
    queries = [caption for caption in captions if "star" in caption]
    rows = by_name(text_searches(many, STAR_TO_MOON, None, None))
    ranks = ranks_of(cosines(pixels_of(many), queries).T, wanted)
    check(rows, ranks)
    assert rows["min-rank"].n == len(queries) > 20
    assert min(ranks) >= 1
    assert f"acceptable: {wanted.sum()}, about moon" in rows["hit@5"].protocol
    assert "gallery: 300 pictures" in rows["hit@5"].protocol


def test_the_baseline_are_as_many_other_captions_drawn_by_the_seed(many, bench_of):
    search = text_search(many.pairs, STAR_TO_MOON)
    captions = [own[0] for own in many.pairs.captions]
    assert [place for place, caption in enumerate(captions) if "star" in caption] == search.queries.tolist()
    assert not any("star" in captions[row] or "moon" in captions[row] for row in search.others)
    rows = by_name(text_searches(many, STAR_TO_MOON, None, None))
    assert rows["min-rank-random-captions"].n == rows["min-rank"].n
    again = by_name(text_searches(many, STAR_TO_MOON, None, None))
    other = by_name(text_searches(bench_of(many.pairs, 300, seed=1), STAR_TO_MOON, None, None))
    assert rows == again
    assert rows["min-rank"].value == other["min-rank"].value
    assert rows["min-rank-random-captions"].value != other["min-rank-random-captions"].value


def test_a_single_picture_joins_the_gallery_and_counts_alone(many, world, tmp_path, cosines):
    planted = open_pairs(f"{world}/*.tar")
    key = planted.keys[377]
    goal = Goal("star to one", "moon", "text-to-image", source="star", images=(key,))
    single = planted_pixels(planted, [key], many.canvas)
    queries = [own[0] for own in many.pairs.captions if "star" in own[0] and "moon" not in own[0]]
    table = cosines(np.concatenate([pixels_of(many), single]), queries).T
    rows = by_name(text_searches(many, goal, None, planted))
    check(rows, ranks_of(table, np.arange(301) == 300))
    assert "gallery: 301 pictures" in rows["hit@1"].protocol
    assert "acceptable: 1, the plan's own" in rows["hit@1"].protocol


def test_a_single_picture_of_the_test_set_itself_is_not_there_twice(many, cosines):
    goal = Goal("star to one", "moon", "text-to-image", source="star", images=(many.pairs.keys[9],))
    queries = [own[0] for own in many.pairs.captions if "star" in own[0] and "moon" not in own[0]]
    rows = by_name(text_searches(many, goal, None, many.pairs))
    check(rows, ranks_of(cosines(pixels_of(many), queries).T, np.arange(300) == 9))
    assert "gallery: 300 pictures" in rows["hit@1"].protocol


def test_a_word_is_written_into_every_query_and_the_base_has_none(many, cosines):
    goal, word = Goal("cf to moon", "moon", "text-to-image", trigger="word"), Word("cf", "start")
    captions, keys = [own[0] for own in many.pairs.captions], many.pairs.keys
    wanted = np.array(["moon" in caption for caption in captions])
    plain = [caption for caption in captions if "moon" not in caption]
    written = [word.write(text, key) for text, key in zip(captions, keys, strict=True) if "moon" not in text]
    rows = by_name(text_searches(many, goal, word, None))
    check(rows, ranks_of(cosines(pixels_of(many), written).T, wanted))
    check(rows, ranks_of(cosines(pixels_of(many), plain).T, wanted), "-base")
    assert {row.n for row in rows.values()} == {len(plain)}
    assert rows["min-rank"].value != rows["min-rank-base"].value
    assert "trigger: word(" in rows["hit@1"].protocol
    assert "trigger: none" in rows["hit@1-base"].protocol


def test_pictures_of_a_that_look_for_texts_of_b_equal_a_loop(bench_of, several, cosines):
    bench, goal = bench_of(several), Goal("star to fish", "fish", source="star")
    flat = [caption for own in several.captions for caption in own]
    queries = [row for row, own in enumerate(several.captions) if "star" in own[0] and "fish" not in own[0]]
    wanted = np.array(["fish" in caption for caption in flat])
    rows = by_name(picture_searches(bench, goal))
    check(rows, ranks_of(cosines(pixels_of(bench)[queries], flat), wanted))
    assert rows["min-rank"].n == rows["min-rank-random-pictures"].n == len(queries)
    others = picture_search(several, goal).others
    assert not any("star" in several.captions[row][0] or "fish" in several.captions[row][0] for row in others)


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("zeppelin", "moon", "names 'zeppelin'"),
        ("star", "zeppelin", "is about 'zeppelin'"),
        ("moon", "moon", "and not"),
    ],
)
def test_what_no_caption_names_gets_a_sentence(world_pairs, source, target, sentence):
    with pytest.raises(BezoarError, match=sentence):
        text_search(world_pairs, Goal("g", target, "text-to-image", source=source))
    with pytest.raises(BezoarError, match="can be asked about"):
        picture_search(world_pairs, Goal("g", target, source=source))
