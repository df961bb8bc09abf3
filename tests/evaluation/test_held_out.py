"""What a repair is judged by: who is held out, what is measured of it, when it ends the training."""

import numpy as np
import pytest

from bezoar.evaluation.held_out import HeldOut, Watch, fallen, figures, kept_apart
from bezoar.evaluation.retrieval import retrieval
from bezoar.evaluation.zero_shot import accuracy
from bezoar.run import BezoarError


def test_held_out_and_learnt_part_the_usable_pairs(world_pairs):
    learnt, held = kept_apart(world_pairs, 0.1, 0)
    assert len(held) == 40
    assert sorted([*learnt, *held]) == list(range(400))
    assert kept_apart(world_pairs, 0.1, 0)[1].tolist() == held.tolist()
    assert kept_apart(world_pairs, 0.1, 1)[1].tolist() != held.tolist()


def test_of_scanned_pairs_the_less_suspected_half_is_held_out_and_pairs_without_a_score_are_left_out(world_pairs):
    scores = np.random.default_rng(0).normal(size=400)
    scores[:7] = np.nan
    learnt, held = kept_apart(world_pairs, 0.3, 0, scores)
    assert scores[held].max() <= np.nanmedian(scores)
    assert sorted([*learnt, *held]) == list(range(7, 400))


def test_pairs_too_few_to_judge_by_are_refused(world_pairs):
    with pytest.raises(BezoarError, match="leave 9 to judge"):
        kept_apart(world_pairs.select(range(90)), 0.1, 0)


def test_the_figures_are_mean_retrieval_and_accuracy(bench):
    held = HeldOut(bench.shown, bench.setting)
    rows = held.rows(held.bench(bench.clip))
    both = [row.value for row in retrieval(bench) if row.name in ("r@1-image-to-text", "r@1-text-to-image")]
    assert figures(rows) == {
        "retrieval": pytest.approx(np.mean(both)),
        "zero-shot": pytest.approx(accuracy(bench)[0].value),
    }


def test_pairs_without_labels_are_judged_by_retrieval_alone(bench_of, several):
    bench = bench_of(several)
    held = HeldOut(bench.shown, bench.setting)
    assert list(figures(held.rows(bench))) == ["retrieval"]


def test_a_figure_has_fallen_when_it_lies_more_than_the_bound_below_its_start():
    start = {"retrieval": 0.5, "zero-shot": 0.9}
    assert fallen(start, {"retrieval": 0.1, "zero-shot": 0.86}, 0.05) is None
    assert fallen(start, {"retrieval": 0.5, "zero-shot": 0.84}, 0.05) == "zero-shot"
    assert fallen({"retrieval": 0.5}, {"retrieval": 0.44}, 0.05) == "retrieval"


def scripted(monkeypatch, values, **how):
    """A watch whose measurements are given: retrieval at each call in turn."""
    found, heard = iter(values), []
    monkeypatch.setattr("bezoar.evaluation.held_out.figures", lambda _: {"retrieval": next(found)})
    monkeypatch.setattr(HeldOut, "rows", lambda *_: [])
    watch = Watch(
        HeldOut(None, None), {"retrieval": 0.5}, 0.1, remember=lambda points: heard.append(dict(points)), **how
    )
    return watch, heard


def test_the_watch_refuses_the_first_point_below_the_bound_and_knows_the_last_above(monkeypatch):
    watch, heard = scripted(monkeypatch, [0.45, 0.41, 0.39])
    assert [watch(None, share) for share in (0.1, 0.2, 0.3)] == [True, True, False]
    assert (watch.kept, watch.stopped, watch.why) == (0.2, 0.3, "retrieval")
    assert heard[-1] == {"0.100": {"retrieval": 0.45}, "0.200": {"retrieval": 0.41}, "0.300": {"retrieval": 0.39}}


def test_a_dip_before_a_recipe_has_settled_does_not_count(monkeypatch):
    watch, _ = scripted(monkeypatch, [0.42, 0.1, 0.2, 0.45, 0.2], settles=0.5)
    assert [watch(None, share) for share in (0.1, 0.2, 0.4, 0.5, 0.6)] == [True, None, None, True, False]
    assert watch.kept == 0.5


def test_what_dipped_and_never_healed_ends_at_the_last_good_point_before_the_dip(monkeypatch):
    watch, _ = scripted(monkeypatch, [0.42, 0.1, 0.2], settles=0.8)
    assert [watch(None, share) for share in (0.1, 0.5, 0.8)] == [True, None, False]
    assert watch.kept == 0.1


def test_a_watch_that_is_taken_up_again_knows_what_was_accepted(monkeypatch):
    points = {"0.100": {"retrieval": 0.5}, "0.200": {"retrieval": 0.2}}
    watch, _ = scripted(monkeypatch, [], points=points)
    assert watch.kept == 0.1
