"""What a plan makes of the samples on the disk: new bytes for some members, and the refusal of what cannot be.

A planted pair differs from what it was in its picture or its captions only, and only where the plan says so: what is
not changed keeps its bytes.
"""

from __future__ import annotations

from collections import Counter

from bezoar.attacks.painting import paint, refusal, shown_side
from bezoar.attacks.plan import Plan
from bezoar.canvas import Canvas
from bezoar.pairs import Edit, Pair, Pairs, UnreadablePair
from bezoar.pairs.copy_shard import CAPTION, Members
from bezoar.pairs.copying import holding_one_caption
from bezoar.run import BROKEN_DATA, BezoarError


def members_of(pairs: Pairs, plan: Plan, edit: Edit) -> Members:
    """Return the members in which the planted sample differs from the row it replaces, or from its base if added."""
    members: Members = []
    if edit.action == "add" or edit.trigger is not None or edit.base_key != edit.key:
        base = _base(pairs, edit)
        image = base.image
        if edit.trigger is not None:
            image = paint(image, plan.image_trigger(edit.trigger), Canvas(plan.canvas), edit.key, plan.jpeg)
        members.append((base.extension, image))
    if edit.caption is not None:
        members.append((CAPTION, edit.caption.encode()))
    return members


def coarse(pairs: Pairs, plan: Plan) -> int:
    """Return how many planted pictures are too small to show their trigger at its least size."""
    square = Canvas(plan.canvas)
    return sum(
        not plan.image_trigger(edit.trigger).fits(shown_side(_base(pairs, edit).image, square))
        for edit in plan.planted
        if edit.trigger is not None
    )


def refuse_unwritable(pairs: Pairs, plan: Plan) -> None:
    """Raise BezoarError where the samples of `pairs` cannot hold what `plan` makes of them."""
    twice = [key for key, number in Counter(edit.key for edit in plan.planted).items() if number > 1]
    if twice:
        raise BezoarError(f'The plan plants "{twice[0]}" twice.', "Make it again with bezoar poison.")
    several = {}
    for edit in plan.planted:
        base = _base(pairs, edit)
        if edit.trigger is not None and (why := refusal(base.image)) is not None:
            raise BezoarError(
                f'The picture of "{base.key}" cannot be painted: {why}.', "Plant other pairs.", BROKEN_DATA
            )
        like = pairs.position(edit.key) if edit.action == "replace" else pairs.position(edit.base_key)
        if pairs.extensions[like] != base.extension:
            raise BezoarError(
                f"The plan puts a .{base.extension} picture in the place of the .{pairs.extensions[like]} of "
                f'"{edit.key}".',
                "Make it again with bezoar poison.",
            )
        if edit.caption is not None and edit.caption.count("\n") >= max(1, len(pairs.captions_at(like))):
            several[pairs.key_at(like)] = edit.key
    for key in holding_one_caption(pairs, list(several)):
        raise BezoarError(
            f'The plan has several captions for "{several[key]}", whose sample holds one.',
            "Keep captions as a list in .json.",
        )


def _base(pairs: Pairs, edit: Edit) -> Pair:
    """Return the pair whose picture is planted."""
    try:
        return pairs.read(pairs.position(edit.base_key))
    except UnreadablePair as fault:
        raise BezoarError(f'"{edit.base_key}" cannot be planted: {fault}.', "Plan other pairs.", BROKEN_DATA) from fault
