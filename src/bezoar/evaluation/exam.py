"""All that is asked of a model at once, and which goal of a plan is measured on which test set.

* Pictures with a trigger look for classes where the target is one, else for captions that name it.
* What cannot be measured is refused by `assign`, which needs no model and decodes no test picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bezoar.attacks import Goal, Plan
from bezoar.attacks.triggers import Trigger, Word
from bezoar.evaluation.backdoor import Marked, by_caption, by_class, caption_queries, class_queries
from bezoar.evaluation.bench import Bench, Setting, Shown
from bezoar.evaluation.carries import MOST as MOST_CONTROLLED
from bezoar.evaluation.carries import Suspicion, check
from bezoar.evaluation.controls import CONTROLS
from bezoar.evaluation.head import head_accuracy, head_success
from bezoar.evaluation.measure import Measure
from bezoar.evaluation.probe import Probe, fit_probe, probe_accuracy, probe_success
from bezoar.evaluation.retrieval import retrieval
from bezoar.evaluation.searches import picture_search, picture_searches, text_search, text_searches
from bezoar.evaluation.targeted import acceptable_texts, targeted_success
from bezoar.evaluation.z_score import z_scores
from bezoar.evaluation.zero_shot import accuracy, class_answers
from bezoar.models import Clip
from bezoar.models.head import Head
from bezoar.pairs import Pairs
from bezoar.run import BezoarError


@dataclass(frozen=True)
class Assigned:
    """The goals of a plan by how they are measured."""

    by_class: tuple[Goal, ...] = ()
    by_caption: tuple[Goal, ...] = ()
    targeted: tuple[Goal, ...] = ()
    targeted_by_class: bool = False
    texts: tuple[Goal, ...] = ()
    pictures: tuple[Goal, ...] = ()


@dataclass(frozen=True)
class Exam:
    """What is asked, the same of every model.

    `labelled` are pictures with classes, `captioned` pictures with captions, `probe` labelled pictures to fit a probe
    on, `planted` the set that the plan was made for. `retrieves`: whether retrieval on `captioned` is asked, too.
    `spread`: whether z-scores are, which cost as much as a small model's looks.
    """

    labelled: Shown | None
    captioned: Shown | None
    setting: Setting
    retrieves: bool = False
    plan: Plan | None = None
    assigned: Assigned = Assigned()
    planted: Pairs | None = None
    probe: Shown | None = None
    suspicion: Suspicion | None = None
    spread: bool = True


def assign(plan: Plan, labelled: Pairs | None, captioned: Pairs | None) -> Assigned:
    """Say how each goal is measured. Raises BezoarError for a goal that these sets cannot measure."""
    goals = plan.goals
    for goal in goals:
        _refuse_unclear(plan, goal)
    pictures = [goal for goal in goals if goal.way == "image-to-text"]
    targeted = tuple(goal for goal in pictures if goal.images)
    marked = tuple(goal for goal in pictures if not goal.images and goal.trigger is not None)
    bent = tuple(goal for goal in pictures if not goal.images and goal.trigger is None)
    texts = tuple(goal for goal in goals if goal.way == "text-to-image")
    classes = tuple(goal for goal in marked if _asks_classes([goal], labelled, captioned))
    captions = tuple(goal for goal in marked if goal not in classes)
    by_class = bool(targeted) and _asks_classes(targeted, labelled, captioned)
    for goal in classes:
        assert labelled is not None
        class_queries(labelled, class_answers(labelled.classes, goal.target), goal.source)
    for goal in captions:
        caption_queries(_needed(captioned, goal), goal)
    for goal in texts:
        text_search(_needed(captioned, goal), goal)
    for goal in bent:
        picture_search(_needed(captioned, goal), goal)
    if targeted and not by_class:
        _refuse_unnamed(targeted, _needed(captioned, targeted[0]))
    return Assigned(classes, captions, targeted, by_class, texts, bent)


def looks(exam: Exam) -> int:
    """Return about how many pictures a model has to look at for the exam: some of them several times."""
    sizes = [0 if one is None else len(one) for one in (exam.labelled, exam.captioned, exam.probe)]
    labelled, captioned = sizes[0], 0 if exam.captioned is exam.labelled else sizes[1]
    assigned, suspicion = exam.assigned, exam.suspicion
    triggers = [len({goal.trigger for goal in goals}) for goals in (assigned.by_class, assigned.by_caption)]
    checked = 0 if suspicion is None else len(suspicion.triggers)
    base = [int(exam.setting.jpeg is not None and number > 0) for number in (triggers[0] + checked, triggers[1])]
    return (
        labelled * (1 + triggers[0] + checked + base[0])
        + captioned * (1 + triggers[1] + base[1])
        + sizes[2]
        + checked * CONTROLS * min(MOST_CONTROLLED, labelled)
    )


def sit(
    clip: Clip,
    exam: Exam,
    device: str = "cpu",
    advance: Callable[[int], object] = lambda _: None,
    head: Head | None = None,
) -> list[Measure]:
    """Ask a model everything in the exam; `advance` hears how many pictures it has looked at.

    `head` is the classifier that lies beside this model, if any.
    """

    def before(shown: Shown | None) -> Bench | None:
        return None if shown is None else Bench(clip, device, shown, exam.setting, advance)

    labelled = before(exam.labelled)
    captioned = labelled if exam.captioned is exam.labelled else before(exam.captioned)
    fitted = before(exam.probe)
    rows: list[Measure] = []
    probe = None
    if labelled is not None:
        rows += accuracy(labelled)
    if captioned is not None and exam.retrieves:
        rows += retrieval(captioned)
    if labelled is not None and fitted is not None:
        probe = fit_probe(fitted, labelled.pairs.classes)
        rows.append(probe_accuracy(probe, labelled))
    if labelled is not None and head is not None:
        rows += head_accuracy(head, labelled)
    if exam.plan is not None:
        rows += _goals(exam, exam.plan, labelled, captioned, probe, head)
    if exam.suspicion is not None:
        assert labelled is not None
        rows += check(labelled, exam.suspicion)
    return rows


def _goals(
    exam: Exam,
    plan: Plan,
    labelled: Bench | None,
    captioned: Bench | None,
    probe: Probe | None,
    head: Head | None,
) -> list[Measure]:
    rows: list[Measure] = []
    assigned = exam.assigned
    if assigned.targeted:
        bench = labelled if assigned.targeted_by_class else captioned
        assert bench is not None
        assert exam.planted is not None
        rows += targeted_success(bench, assigned.targeted, exam.planted, assigned.targeted_by_class)
    for name in dict.fromkeys(goal.trigger for goal in assigned.by_class):
        assert labelled is not None
        marked = Marked.on(labelled, plan.image_trigger(str(name)))
        for goal in assigned.by_class:
            if goal.trigger == name:
                rows += _by_class(labelled, goal, marked, probe, head)
                rows += z_scores(labelled, marked, goal.name) if exam.spread else []
    for name in dict.fromkeys(goal.trigger for goal in assigned.by_caption):
        assert captioned is not None
        marked = Marked.on(captioned, plan.image_trigger(str(name)))
        for goal in assigned.by_caption:
            if goal.trigger == name:
                rows += by_caption(captioned, goal, marked)
                rows += z_scores(captioned, marked, goal.name) if exam.spread else []
    for goal in (*assigned.texts, *assigned.pictures):
        assert captioned is not None
        if goal.way == "text-to-image":
            word = None if goal.trigger is None else plan.triggers[goal.trigger]
            assert word is None or isinstance(word, Word)
            rows += text_searches(captioned, goal, word, exam.planted)
        else:
            rows += picture_searches(captioned, goal)
    return rows


def _by_class(bench: Bench, goal: Goal, marked: Marked, probe: Probe | None, head: Head | None) -> list[Measure]:
    texts = bench.class_texts
    wanted = class_answers(texts.names, goal.target)
    rows = by_class(bench, goal, marked, texts, wanted)
    if probe is not None:
        rows += probe_success(probe, bench, goal, marked, wanted)
    return rows if head is None else [*rows, *head_success(head, bench, goal, marked)]


def _refuse_unclear(plan: Plan, goal: Goal) -> None:
    """Raise BezoarError for a goal that says nothing to ask: a plan file may hold anything."""
    trigger: Trigger | Word | None = plan.triggers.get(goal.trigger) if goal.trigger is not None else None
    wrong = (goal.trigger is not None and trigger is None) or (
        trigger is not None and isinstance(trigger, Word) != (goal.way == "text-to-image")
    )
    if wrong or not (goal.trigger or goal.source or goal.images):
        raise BezoarError(
            f'The goal "{goal.name}" of the plan cannot be measured: it has no trigger, source or pictures that fit.',
            "Make the plan again with bezoar poison.",
        )


def _asks_classes(goals: Sequence[Goal], labelled: Pairs | None, captioned: Pairs | None) -> bool:
    """Say whether pictures look for classes; where not all targets are classes, other captions have to do."""
    if labelled is None:
        return False
    missing = [goal.target for goal in goals if not class_answers(labelled.classes, goal.target).any()]
    if missing and (captioned is None or captioned is labelled):
        raise BezoarError(
            f"The plan's target {missing[0]!r} is no class of {labelled.path}.",
            f"Name test pairs that have it; these have {', '.join(labelled.classes[:10])}.",
        )
    return not missing


def _needed(captioned: Pairs | None, goal: Goal) -> Pairs:
    if captioned is None:
        raise BezoarError(f'The goal "{goal.name}" asks captions.', "Name pairs with captions: --pairs.")
    return captioned


def _refuse_unnamed(goals: Sequence[Goal], captioned: Pairs) -> None:
    found = acceptable_texts(goals, captioned, by_class=False)
    targets = [goal.target for goal in goals for _ in goal.images]
    lacking = next((target for target, row in zip(targets, found, strict=True) if not row.any()), None)
    if lacking is not None:
        raise BezoarError(f"No caption in {captioned.path} names {lacking!r}.", "Name --pairs of which some do.")
