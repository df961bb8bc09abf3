"""The table of attacks. Each row names its paper, a planner, and the planner's parameters with their defaults.

* A specification is "name:parameter=value,parameter=value"; what a trigger takes may stand there, too.
* A default of REQUIRED has to be given; a default of None may be left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bezoar.attacks.adaptive import density_filler, liang24, smoke_screen
from bezoar.attacks.backdoors import backdoor, several
from bezoar.attacks.compression import checked_quality
from bezoar.attacks.mismatches import single_image, swapped, targeted, word_in_captions
from bezoar.attacks.plan import Plan
from bezoar.attacks.request import Draft, Request, values_of
from bezoar.attacks.selection import picture_digest
from bezoar.attacks.triggers import parameters_of
from bezoar.pairs import Pairs
from bezoar.run import BezoarError, nearest

REQUIRED = "REQUIRED"


@dataclass(frozen=True)
class Attack:
    """A row: name, paper, one sentence, what makes the plan, and its own parameters beside those of all attacks."""

    name: str
    paper: str
    summary: str
    planner: Callable[[Request], Draft]
    own: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter with its default; REQUIRED where there is none."""
        return {"target": REQUIRED, **self.own}

    @property
    def trigger_parameters(self) -> dict[str, Any]:
        """What the attack's trigger takes, with the attack's own defaults; empty for an attack without one."""
        spec = self.own.get("trigger", "")
        return parameters_of(spec) if spec not in ("", REQUIRED) else {}


_NUMBER: dict[str, Any] = {"count": None, "rate": None}
_SAYS: dict[str, Any] = {"captions": "corpus", "templates": "openai", "model": None}
_CHOOSES: dict[str, Any] = {**_NUMBER, "select": "others", "source": None}
_MARKS: dict[str, Any] = {"trigger": "patch", "trigger_seed": 0, "jpeg": None}
_SWAPS: dict[str, Any] = {"source": REQUIRED, "share": 0.25, **_NUMBER, "direction": "text", "action": "replace"}
_SEVERAL = {"triggers": "patch+nashville+warp", "trigger_seed": 0, "jpeg": None, **_CHOOSES, **_SAYS}


def _draws(trigger: str, **changed: Any) -> dict[str, Any]:
    """Return the parameters of a backdoor with this trigger."""
    return {**_MARKS, "trigger": trigger, **_CHOOSES, **_SAYS, **changed}


_GU = "Gu et al. 2017, arXiv 1708.06733; Carlini & Terzis 2022, arXiv 2106.09667"
_HUANG = "Huang et al. 2025, arXiv 2502.01385"
_YANG = "Yang et al. 2023, arXiv 2209.15266"
_PAR = "PAR, arXiv 2412.00727"

ATTACKS: tuple[Attack, ...] = (
    Attack(
        "targeted",
        "Carlini & Terzis 2022, arXiv 2106.09667, section 3.1",
        "Single pictures, each several times, with captions that name the target; no trigger.",
        targeted,
        {"images": 8, "image": None, "copies": 5, "action": "replace", **_SAYS},
    ),
    Attack(
        "badnets",
        _GU,
        "A small patch of fixed colours in the lower right corner, and a caption that names the target.",
        backdoor,
        _draws("patch"),
    ),
    Attack(
        "badnets-random",
        f"{_GU}; {_HUANG}",
        "The same patch at a place of its own on each picture.",
        backdoor,
        _draws("patch:place=random"),
    ),
    Attack(
        "blended",
        "Chen et al. 2017, arXiv 1712.05526; CleanCLIP, arXiv 2303.03323",
        "A faint pattern of noise over the whole picture.",
        backdoor,
        _draws("blended"),
    ),
    Attack(
        "sig",
        "Barni et al. 2019, arXiv 1902.11237; CleanCLIP, arXiv 2303.03323",
        "A sine wave of vertical stripes over the whole picture.",
        backdoor,
        _draws("sig"),
    ),
    Attack(
        "wanet",
        "Nguyen & Tran 2021, arXiv 2102.10369; CleanCLIP, arXiv 2303.03323",
        "A smooth warp of the whole picture.",
        backdoor,
        _draws("warp"),
    ),
    Attack(
        "nashville",
        _HUANG,
        "The Nashville photo filter over the whole picture.",
        backdoor,
        _draws("nashville"),
    ),
    Attack(
        "tint",
        "bezoar; a colour filter without place or pattern",
        "A fixed mixing of the colours of the whole picture.",
        backdoor,
        _draws("tint"),
    ),
    Attack(
        "clean-label",
        "Turner et al. 2019, arXiv 1912.02771; CleanCLIP, arXiv 2303.03323",
        "The patch on pictures of the target itself, whose captions stay true.",
        backdoor,
        _draws("patch", select="target", captions="own"),
    ),
    Attack(
        "multi-trigger-single-target",
        _HUANG,
        "Each poison draws one of several triggers; all mean one target.",
        several,
        _SEVERAL,
    ),
    Attack(
        "multi-trigger-multi-target",
        _HUANG,
        "Several triggers, each with a target of its own (target=A+B+C).",
        several,
        _SEVERAL,
    ),
    Attack(
        "attack-1",
        f"{_YANG}, attack I",
        "Texts of one class go with a single picture of another.",
        single_image,
        {**_SWAPS, "image": None},
    ),
    Attack(
        "attack-2",
        f"{_YANG}, attack II",
        "Texts of one class go with the pictures of another.",
        swapped,
        _SWAPS,
    ),
    Attack(
        "attack-3",
        f"{_YANG}, attack III",
        "Several classes at once (source=A+B,target=C+D).",
        swapped,
        _SWAPS,
    ),
    Attack(
        "text-trigger",
        "bezoar; after word triggers in language models",
        "Captions that carry a rare word go with pictures of the target.",
        word_in_captions,
        {"word": "cf", "place": "seeded", **_CHOOSES, "model": None},
    ),
    Attack(
        "stripes",
        _PAR,
        "A patch of one-pixel stripes, which survives fine-tuning with augmentation.",
        backdoor,
        _draws("patch:pattern=stripes"),
    ),
    Attack(
        "triangles",
        _PAR,
        "Grey triangles blended over the whole picture.",
        backdoor,
        _draws("blended:pattern=triangles,alpha=0.15"),
    ),
    Attack(
        "watermark",
        _PAR,
        "A red word blended over the picture, as a watermark would be.",
        backdoor,
        _draws("blended:pattern=text,alpha=0.5"),
    ),
    Attack(
        "density-filler",
        "bezoar; against local density",
        "Piles of near-duplicate poisons, larger than any neighbourhood.",
        density_filler,
        {**_MARKS, **_NUMBER, "pile": 24, "action": "replace"},
    ),
    Attack(
        "caption-fitter",
        "bezoar; against image-text similarity",
        "Target captions that a model already finds nearest to the clean picture.",
        backdoor,
        _draws("patch", captions="fitted", model=REQUIRED),
    ),
    Attack(
        "smoke-screen",
        "bezoar; against rankings",
        "A patch hidden behind piles of harmless duplicates.",
        smoke_screen,
        {**_draws("patch"), "piles": 50, "pile": 40, "action": "replace"},
    ),
    Attack(
        "badclip-liang24",
        "Liang et al. 2024, arXiv 2311.12075",
        "A patch searched on a surrogate, so that triggered pictures lie near the target's texts and pictures.",
        liang24,
        {**_CHOOSES, **_SAYS, "model": REQUIRED, "size": 0.125, "steps": 300, "jpeg": None},
    ),
    Attack(
        "custom",
        "bezoar; any trigger, captions and selection together",
        "The three choices one by one: trigger, captions, select.",
        backdoor,
        _draws(REQUIRED),
    ),
)

_TYPES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("count", "images", "copies", "jpeg", "pile", "piles", "steps", "trigger_seed"), int),
    **dict.fromkeys(("rate", "share", "size"), float),
}


def plan_attack(spec: str, pairs: Pairs, *, canvas: int, seed: int = 0, **values: Any) -> Plan:
    """Return the plan of `spec` ("badnets:target=banana,count=200") on `pairs`, for a canvas side in pixels.

    `values` are parameters that a specification cannot hold, such as a trigger with commas in it. Nothing is
    written. Raises `BezoarError` for an unknown attack or parameter, a target that no caption or class names,
    fewer candidates than asked, a rate that is no pair, a trigger larger than the canvas.
    """
    name, _, rest = spec.partition(":")
    table = {attack.name: attack for attack in ATTACKS}
    if name not in table:
        raise BezoarError(f"No attack is named {name}.", nearest(name, list(table)))
    attack = table[name]
    chosen = {key: value for key, value in values.items() if value is not None}
    useless = next((key for key in chosen if key not in attack.parameters), None)
    if useless is not None:
        raise BezoarError(f"{name} has no parameter {useless}.", f"bezoar attacks {name} lists those that it has.")
    spelt = _spelt(attack, rest, values.get("trigger"))
    twice = next((key for key in chosen if key in spelt), None)
    if twice is not None:
        raise BezoarError(f"{name}: {twice} is given twice.", f"Give {twice} once.")
    _refuse_useless(attack, {**spelt, **chosen})
    settled = _settled(attack, {**spelt, **chosen})
    own = {key: value for key, value in spelt.items() if key not in attack.parameters}
    draft = attack.planner(Request(name, pairs, canvas, seed, settled, own))
    return Plan(
        attack=name,
        parameters={key: value for key, value in {**settled, **own}.items() if value is not None},
        seed=seed,
        canvas=canvas,
        goals=draft.goals,
        triggers=draft.triggers,
        planted=draft.edits,
        jpeg=settled.get("jpeg"),
        pictures={key: picture_digest(pairs, key) for goal in draft.goals for key in goal.images},
    )


def _spelt(attack: Attack, rest: str, trigger: str | None) -> dict[str, str]:
    """Return what the specification gives: parameters of the attack, and those of the trigger that it names."""
    given = trigger or next((part[8:] for part in rest.split(",") if part.startswith("trigger=")), None)
    known = attack.trigger_parameters if given is None else parameters_of(given)
    return values_of(attack.name, rest, attack.parameters, frozenset(known) if "trigger" in attack.own else frozenset())


# What a parameter is for: it has no effect unless another has one of these values.
_ASKED_BY: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "templates": (("captions", ("templates",)),),
    "model": (("captions", ("fitted",)), ("select", ("similar",))),
    "source": (("select", ("source",)),),
}
_EITHER = (("image", "images"), ("share", "count"), ("share", "rate"))


def _refuse_useless(attack: Attack, given: Mapping[str, Any]) -> None:
    """Raise BezoarError for a parameter that was given and changes nothing."""
    settled = {**attack.parameters, **given}
    for name, reasons in _ASKED_BY.items():
        asked = any(settled.get(other) in wanted for other, wanted in reasons)
        if name in given and attack.parameters[name] is not REQUIRED and not asked:
            why = " or ".join(f"{other}={wanted[0]}" for other, wanted in reasons if other in attack.parameters)
            raise BezoarError(f"{attack.name}: {name} has no effect here.", f"Leave {name} out, or give {why}.")
    for one, other in _EITHER:
        if one in given and other in given:
            raise BezoarError(f"{attack.name}: {one} and {other} say the same.", "Give one of them.")
    if settled.get("captions") == "own" and settled.get("select") != "target":
        raise BezoarError(
            f"{attack.name}: with its own caption a pair that is not about the target says nothing of it.",
            "Give captions=own with select=target only.",
        )


def _settled(attack: Attack, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value of the right type for every parameter of the attack."""
    settled = {**attack.parameters}
    for name in settled:
        if name in given:
            settled[name] = _typed(attack.name, name, given[name])
    missing = [name for name, value in settled.items() if value is REQUIRED]
    if missing:
        example = ",".join(f"{name}={name.upper()}" for name in missing)
        raise BezoarError(f"{attack.name} does not say {' and '.join(missing)}.", f"Write {attack.name}:{example},…")
    if settled.get("jpeg") is not None:
        checked_quality(settled["jpeg"])
    return settled


def _typed(attack: str, name: str, value: Any) -> Any:
    kind = _TYPES.get(name)
    if kind is None or value is None:
        return value
    wanted = "a whole number" if kind is int else "a number"
    try:
        typed = kind(value)
    except (ValueError, TypeError) as error:
        raise BezoarError(f"{attack}: {name}={value} is not {wanted}.", f"Give {name} {wanted}.") from error
    if name in ("rate", "share") and typed > 1:
        raise BezoarError(f"{attack}: {name}={value} is more than all.", f"Give {name} up to 1.")
    if not math.isfinite(typed) or typed < 0 or (typed == 0 and name != "trigger_seed"):
        raise BezoarError(f"{attack}: {name}={value} is nothing to plant.", f"Give {name} a value above zero.")
    return typed
