"""Which goal is measured on which set, and what is refused before a model is asked."""

import numpy as np
import pytest
from tests.evaluation.words import PROMPTS

from bezoar.attacks import Goal, Plan
from bezoar.attacks.triggers import Patch, Word
from bezoar.evaluation.bench import Setting, Shown
from bezoar.evaluation.carries import Suspicion
from bezoar.evaluation.exam import Exam, assign, looks, sit
from bezoar.pairs import open_pairs
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError

PATCH = Goal("patch to moon", "moon", trigger="patch")
WORD = Goal("cf to moon", "moon", "text-to-image", trigger="word")
ATTACK = Goal("star to moon", "moon", "text-to-image", source="star")
MIRRORED = Goal("star as moon", "moon", source="star")
SINGLE = Goal("one to moon", "moon", images=("train-0000100", "train-0000101"))
OTHER = Goal("other to star", "star", images=("train-0000102",))


def plan_of(*goals):
    triggers = {"patch": Patch.on_canvas(32, size=0.4), "word": Word("cf", "start")}
    return Plan("custom", {}, 0, 32, goals, triggers, ())


@pytest.fixture(scope="module")
def labelled(world):
    return open_pairs(world)


def test_pictures_look_for_classes_where_there_are_any_and_else_for_captions(labelled, several):
    plan = plan_of(PATCH, WORD, ATTACK, MIRRORED, SINGLE, OTHER)
    found = assign(plan, labelled, several)
    assert (found.by_class, found.by_caption, found.texts, found.pictures) == (
        (PATCH,),
        (),
        (WORD, ATTACK),
        (MIRRORED,),
    )
    assert (found.targeted, found.targeted_by_class) == ((SINGLE, OTHER), True)
    found = assign(plan, None, several)
    assert (found.by_class, found.by_caption, found.targeted_by_class) == ((), (PATCH,), False)
    number = Goal("patch to number", "number 4", trigger="patch")
    assert assign(plan_of(PATCH, number), labelled, several).by_caption == (number,)


@pytest.mark.parametrize(
    ("goal", "sets", "sentence"),
    [
        (Goal("g", "zeppelin", trigger="patch"), "labelled", "'zeppelin' is no class of"),
        (Goal("g", "zeppelin", trigger="patch"), "same", "'zeppelin' is no class of"),
        (Goal("g", "zeppelin", trigger="patch"), "captioned", "captions name the target 'zeppelin'"),
        (Goal("g", "zeppelin", images=("any",)), "labelled", "'zeppelin' is no class of"),
        (Goal("g", "zeppelin", images=("any",)), "captioned", "No caption in .* names 'zeppelin'"),
        (ATTACK, "labelled", "asks captions"),
        (Goal("g", "moon", "text-to-image", source="zeppelin"), "captioned", "names 'zeppelin'"),
        (Goal("g", "zeppelin", "text-to-image", source="star"), "captioned", "is about 'zeppelin'"),
        (Goal("g", "zeppelin", source="star"), "captioned", "can answer with 'zeppelin'"),
        (Goal("g", "moon"), "same", "cannot be measured"),
        (Goal("g", "moon", trigger="word"), "same", "cannot be measured"),
        (Goal("g", "moon", "text-to-image", trigger="patch"), "same", "cannot be measured"),
        (Goal("g", "moon", trigger="gone"), "same", "cannot be measured"),
    ],
)
def test_what_cannot_be_measured_gets_a_sentence(labelled, several, goal, sets, sentence):
    given = {"labelled": (labelled, None), "captioned": (None, several), "same": (labelled, labelled)}[sets]
    with pytest.raises(BezoarError, match=sentence):
        assign(plan_of(goal), *given)


def test_everything_at_once_is_measured_and_each_picture_looked_at_once(clip, labelled, several, monkeypatch):
    plan = plan_of(PATCH, WORD, ATTACK, MIRRORED, SINGLE, OTHER, Goal("patch to fish", "fish", trigger="patch"))
    drawn, draw = [], Patch.draw
    monkeypatch.setattr(Patch, "draw", lambda self, pixels, key: drawn.append(key) or draw(self, pixels, key))
    exam = Exam(
        labelled=Shown(Decoded(labelled, clip.canvas), np.arange(80)),
        captioned=Shown(Decoded(several, clip.canvas), np.arange(60)),
        setting=Setting(PROMPTS),
        retrieves=True,
        plan=plan,
        assigned=assign(plan, labelled, several),
        planted=labelled,
        probe=Shown(Decoded(labelled, clip.canvas), np.arange(100, 400)),
    )
    rows = sit(clip, exam)
    assert drawn == labelled.keys[:80]
    names = {goal: [row.name for row in rows if row.goal == goal] for goal in {row.goal for row in rows}}
    asr = ["asr", "asr@5", "asr@10", "asr-base", "asr-true-class", "probe-asr", "probe-asr-base"]
    hits = ["hit@1", "hit@5", "hit@10", "min-rank"]
    assert names == {
        None: [
            *(f"zero-shot-top{k}" for k in (1, 5, 10)),
            *(f"r@{k}-{way}" for way in ("image-to-text", "text-to-image") for k in (1, 5, 10)),
            *("probe-top1", "psr", "psr@5", "psr@10", "psr-true-class"),
        ],
        "patch to moon": [*asr, "z-score-sd", "z-score-var"],
        "patch to fish": [*asr, "z-score-sd", "z-score-var"],
        "cf to moon": [*hits, *(f"{name}-base" for name in hits)],
        "star to moon": [*hits, *(f"{name}-random-captions" for name in hits)],
        "star as moon": [*hits, *(f"{name}-random-pictures" for name in hits)],
    }
    for row in rows:
        assert row.low <= row.value <= row.high
        assert row.n > 0
        assert "queries: " in row.protocol
        assert "canvas: 32 px" in row.protocol
    assert next(row.n for row in rows if row.name == "psr") == 3


@pytest.mark.parametrize("jpeg", [None, 60])
def test_the_looks_that_were_announced_are_taken(clip, labelled, several, patch, jpeg):
    exam = Exam(
        labelled=Shown(Decoded(labelled, clip.canvas), np.arange(70)),
        captioned=Shown(Decoded(several, clip.canvas), np.arange(50)),
        setting=Setting(PROMPTS, jpeg=jpeg),
        retrieves=True,
        plan=plan_of(PATCH, WORD),
        assigned=assign(plan_of(PATCH, WORD), labelled, several),
        probe=Shown(Decoded(labelled, clip.canvas), np.arange(100, 300)),
        suspicion=Suspicion({"patch": patch}, "a phrase"),
    )
    taken = []
    sit(clip, exam, advance=taken.append)
    assert sum(taken) == looks(exam)
