"""Human judgement: files are read as they are written, tau is scipy's, pictures are drawn whole."""

import gzip

import numpy as np
import pytest
from scipy.stats import kendalltau
from studies import detection_people
from studies.detection_people import (
    ANNOTATIONS,
    CROWD,
    EXPERTS,
    agreement,
    judgements,
    measured,
    resamples,
    seen_by,
)

import bezoar
from bezoar.detection.witnesses import cosines
from bezoar.models import save

LINES = ("a_1.jpg\ta_1.jpg#2\t1\t3\t0", "a_1.jpg\tb_2.jpg#0\t0.25\t1\t3", "b_2.jpg\ta_1.jpg#4\t0\t0\t3")
MARKS = ("a_1.jpg\tb_2.jpg#1\t1\t1\t2", "b_2.jpg\tb_2.jpg#0\t4\t4\t4")


@pytest.fixture
def files(tmp_path):
    (tmp_path / CROWD).write_bytes(gzip.compress("\n".join(LINES).encode()))
    (tmp_path / EXPERTS).write_text("\n".join(MARKS) + "\n")
    return tmp_path


def test_crowdflower_is_the_share_of_yes_and_experts_are_a_mean(files):
    crowd, experts = (judgements(files / name) for name in (CROWD, EXPERTS))
    assert (crowd.picture, crowd.owner, crowd.number) == (["a_1", "a_1", "b_2"], ["a_1", "b_2", "a_1"], [2, 0, 4])
    assert crowd.score.tolist() == [1, 0.25, 0]
    assert experts.score.tolist() == [pytest.approx(4 / 3), 4]


def test_tau_is_scipys_and_lies_in_its_interval():
    draw = np.random.default_rng(2)
    said, picture = draw.integers(4, size=400) / 3, np.arange(400) // 8
    own = said + draw.normal(size=400)
    rows = {row["measure"]: row for row in agreement(said, own, picture, "c", 1)}
    assert rows["tau-b"]["value"] == pytest.approx(kendalltau(said, own).statistic)
    assert rows["tau-c"]["value"] == pytest.approx(kendalltau(said, own, variant="c").statistic)
    assert rows["tau-b"]["low"] < rows["tau-b"]["value"] < rows["tau-b"]["high"]
    assert (rows["rho"]["n"], rows["rho"]["pictures"]) == (400, 50)
    assert "tau-c" not in {row["measure"] for row in agreement(said, own, picture, "b", 1)}
    assert all(row["value"] < 0 for row in agreement(said, -own, picture, "c", 1))


def test_a_picture_is_drawn_with_all_that_was_said_of_it():
    picture = np.array([3, 3, 5, 7, 7, 7])
    for rows in resamples(picture, 0):
        drawn, counts = np.unique(picture[rows], return_counts=True)
        own = {3: 2, 5: 1, 7: 3}
        assert all(count % own[one] == 0 for one, count in zip(drawn.tolist(), counts.tolist(), strict=True))


@pytest.fixture
def judged(world, clip, tmp_path, monkeypatch):
    """Pairs of the generated world judged by a rule: own captions fit, others more or less."""
    monkeypatch.setattr(detection_people, "RESAMPLES", 5)
    pairs = bezoar.open_pairs(world).select(range(40))
    model = tmp_path / "model"
    save(clip, model)
    said = [
        f"{key}.jpg\t{owner}.jpg#0\t{1.0 if key == owner else at % 4 / 4}\t{at % 4}\t3"
        for at, key in enumerate(pairs.keys)
        for owner in (key, pairs.keys[at - 1])
    ]
    (tmp_path / CROWD).write_bytes(gzip.compress("\n".join(said).encode()))
    (tmp_path / EXPERTS).write_text("\n".join(said))
    return tmp_path, pairs, model


def test_every_picture_is_held_against_the_caption_that_was_judged(judged):
    folder, pairs, model = judged
    seen, said = seen_by(model, pairs), judgements(folder / CROWD)
    place = np.array([pairs.position(key) for key in said.picture])
    caption = seen.caption(said, pairs)
    fits = seen.fits(place, caption)
    assert caption.tolist() == [pairs.position(key) for key in said.owner]  # one caption each
    np.testing.assert_allclose(fits["fit"], cosines(seen.pictures[0][place], seen.captions[caption]))
    views = np.mean([cosines(view[place], seen.captions[caption]) for view in seen.pictures[1:]], axis=0)
    np.testing.assert_allclose(fits["fit of the views"], views, atol=1e-6)
    assert len(seen.pictures) == 13


def test_own_captions_are_left_out_and_trained_pictures_counted(judged):
    folder, pairs, model = judged
    rows = measured(folder, pairs, set(pairs.keys[:10]), model, 1)
    counts = {row["annotations"]: row["n"] for row in rows if row["measure"] == "trained on"}
    assert counts == {"CrowdFlower": 20, "experts": 20}
    sizes = {row["captions"]: row["n"] for row in rows if row["measure"] == "tau-b"}
    assert sizes == {"all": 80, "of other pictures": 40}
    assert set(counts) == {name for name, _ in ANNOTATIONS.values()}
