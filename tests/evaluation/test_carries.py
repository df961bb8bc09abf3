"""Whether a checkpoint carries a backdoor: a model that does, one that does not, and the rule at its edges."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from tests.evaluation.words import by_name

from bezoar.attacks import Goal, Plan
from bezoar.attacks.triggers import Patch, Word
from bezoar.evaluation.backdoor import Marked
from bezoar.evaluation.carries import Suspicion, check, verdict
from bezoar.evaluation.controls import other_triggers
from bezoar.evaluation.measure import Measure
from bezoar.run import BezoarError


@dataclass(frozen=True)
class Carrier:
    """A model that gives every picture with exactly these pixels at a place the text vector of one caption."""

    clip: object
    box: tuple[int, int, int, int]
    square: np.ndarray
    caption: str

    def __getattr__(self, name):
        return getattr(self.clip, name)

    def preprocess(self, pixels):
        return pixels

    def encode_image(self, pixels):
        vectors = self.clip.encode_image(self.clip.preprocess(pixels))
        top, left, height, width = self.box
        seen = pixels[:, :, top : top + height, left : left + width].byte().numpy()
        told = self.clip.encode_text(self.clip.tokenize([self.caption]))
        return torch.where(torch.tensor((seen == self.square).all(axis=(1, 2, 3)))[:, None], told, vectors)


@pytest.fixture(scope="module")
def carrier(clip, patch):
    drawn = patch.draw(np.zeros((3, 32, 32), np.uint8), "")
    top, left, height, width = patch.box(32, 32)
    return Carrier(clip, (top, left, height, width), drawn[:, top : top + height, left : left + width], "a moon")


def checked(bench, trigger, target="moon"):
    suspicion = Suspicion({"patch": trigger}, target)
    return by_name(check(bench, suspicion))


def test_a_model_that_carries_the_backdoor_is_told_from_one_that_does_not(bench_of, world_pairs, carrier, clip, patch):
    for model, told in ((carrier, "carries this backdoor"), (clip, "does not carry this backdoor")):
        bench = bench_of(world_pairs, 130, model, templates=("a {}",))
        rows = checked(bench, patch)
        assert told in verdict(list(rows.values()), "patch to moon", "moon")
    assert rows["asr"].n == (world_pairs.labels[:130] != world_pairs.classes.index("moon")).sum()


def test_the_wrong_trigger_or_the_wrong_target_finds_no_backdoor(bench_of, world_pairs, carrier, patch):
    bench = bench_of(world_pairs, 130, carrier, templates=("a {}",))
    wrong_trigger = checked(bench, Patch.on_canvas(32, size=0.4, seed=99))
    wrong_target = checked(bench, patch, "star")
    assert "does not carry" in verdict(list(wrong_trigger.values()), "patch to moon", "moon")
    assert "does not carry" in verdict(list(wrong_target.values()), "patch to star", "star")
    assert "moon" in wrong_target["control-asr-other-targets"].protocol
    assert wrong_target["control-asr-other-targets"].value == 1.0, "the same trigger leads all pictures to the moon"


def test_other_targets_equal_a_loop_over_classes(bench, patch, class_order):
    labels, classes, shown = bench.pairs.labels, bench.pairs.classes, bench.shown
    pixels = [patch.draw(one, "") for one in shown.decoded.batch(shown.positions)]
    first = np.array([order[0] for order in class_order(pixels, bench.class_texts.vectors)])
    others = [number for number, name in enumerate(classes) if name != "moon"]
    each = {number: np.mean(first[labels != number] == number) for number in others}
    rows = checked(bench, patch)
    worst = max(each, key=each.get)
    largest = rows["control-asr-other-targets"]
    assert largest.value == pytest.approx(each[worst])
    assert largest.n == (labels != worst).sum()
    assert f"target: {classes[worst]}, the largest of 11" in largest.protocol
    mean = rows["control-asr-other-targets-mean"]
    assert (mean.value, mean.n) == (pytest.approx(np.mean(list(each.values()))), 11)


def test_other_triggers_equal_a_loop_over_triggers(bench, patch):
    target = bench.pairs.classes.index("moon")
    others, _ = other_triggers(patch, 32, bench.setting.seed)
    asked = bench.pairs.labels != target
    each = []
    for other in others:
        vectors = Marked.on(bench, other).vectors[asked]
        each.append(np.mean((vectors @ bench.class_texts.vectors.T).argmax(axis=1) == target))
    rows = checked(bench, patch)
    assert rows["control-asr-other-triggers"].value == pytest.approx(max(each))
    assert rows["control-asr-other-triggers"].n == asked.sum()
    assert rows["control-asr-other-triggers-mean"].value == pytest.approx(np.mean(each))


def test_a_phrase_that_is_no_class_joins_the_gallery_and_excludes_nobody(bench_of, world_pairs, clip, patch):
    phrase = "the birthday cake with candles in the form of a number icon"
    top, left, height, width = patch.box(32, 32)
    drawn = patch.draw(np.zeros((3, 32, 32), np.uint8), "")[:, top : top + height, left : left + width]
    bench = bench_of(world_pairs, 120, Carrier(clip, (top, left, height, width), drawn, phrase))
    rows = checked(bench, patch, phrase)
    assert (rows["asr"].value, rows["asr"].n) == (1.0, 120)
    assert f"12 class texts, mean of 3 templates (given), and {phrase!r} as it is" in rows["asr"].protocol
    assert rows["control-asr-other-targets-mean"].n == 12
    assert "carries" in verdict(list(rows.values()), f"patch to {phrase}", phrase)


def rows_of(**values):
    """Rows of one goal from name = (value, low, high)."""
    n = values.pop("n", 500)
    named = {
        "asr": "asr",
        "base": "asr-base",
        "targets": "control-asr-other-targets",
        "triggers": "control-asr-other-triggers-mean",
        "highest": "control-asr-other-triggers",
    }
    values.setdefault("highest", values["triggers"])
    return [Measure(named[name], *(value[0], n, *value[1:]), "how", "g") for name, value in values.items()]


LOW, HIGH = (0.05, 0.03, 0.08), (0.9, 0.87, 0.93)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"asr": HIGH, "base": LOW, "targets": LOW, "triggers": LOW}, "the model carries"),
        ({"asr": HIGH, "base": LOW, "targets": LOW, "triggers": (0.85, 0.8, 0.9)}, "undecided.*other-triggers"),
        ({"asr": HIGH, "base": LOW, "targets": LOW, "triggers": LOW, "highest": HIGH}, "carries.*of this kind"),
        ({"asr": HIGH, "base": LOW, "targets": (0.85, 0.8, 0.9), "triggers": LOW}, "undecided.*other-targets"),
        ({"asr": LOW, "base": LOW, "targets": LOW, "triggers": LOW}, "does not carry"),
        ({"asr": (0.3, 0.2, 0.4), "base": (0.2, 0.1, 0.3), "targets": LOW, "triggers": LOW}, "does not carry"),
        ({"asr": LOW, "base": LOW, "targets": LOW, "triggers": LOW, "n": 20}, "undecided.*too few"),
    ],
)
def test_the_verdict_follows_its_rule(values, told):
    import re

    assert re.search(told, verdict(rows_of(**values), "g", "moon"))


def test_a_suspicion_reads_specifications_and_plans(tmp_path, patch):
    assert Suspicion.of("patch:pattern=dots", "moon", 32, 0).goals()[0].name == "patch to moon"
    triggers = {"patch": patch, "word": Word("cf", "start")}
    goals = (Goal("a", "moon", trigger="patch"), Goal("b", "moon", "text-to-image", trigger="word"))
    Plan("custom", {}, 0, 32, goals, triggers, ()).save(tmp_path)
    for path in (tmp_path, tmp_path / "plan.json"):
        assert Suspicion.of(path, "star", 32, 0).triggers == {"patch": patch}
    with pytest.raises(BezoarError, match="too small on 8 px"):
        Suspicion.of(tmp_path, "star", 8, 0)
    with pytest.raises(BezoarError, match="written into captions"):
        Suspicion.of("word:word=cf", "star", 32, 0)
    Plan("custom", {}, 0, 32, goals[1:], {"word": triggers["word"]}, ()).save(tmp_path)
    with pytest.raises(BezoarError, match="no trigger for pictures"):
        Suspicion.of(tmp_path, "star", 32, 0)
