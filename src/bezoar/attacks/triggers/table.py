"""The table of triggers, and the ways from and to plain values.

* A specification is "name:parameter=value,parameter=value". A parameter has the type of its default.
* Adding a trigger means a file with its class, whose `on_canvas(side, seed, …)` names the parameters, and a row here.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from bezoar.attacks.triggers.blended import Blended
from bezoar.attacks.triggers.chained import Chain
from bezoar.attacks.triggers.identity import Identity
from bezoar.attacks.triggers.mask import Mask
from bezoar.attacks.triggers.nashville import Nashville
from bezoar.attacks.triggers.patch import Patch
from bezoar.attacks.triggers.sig import Sig
from bezoar.attacks.triggers.tint import Tint
from bezoar.attacks.triggers.trigger import Trigger
from bezoar.attacks.triggers.variation import Vary
from bezoar.attacks.triggers.warp import Warp
from bezoar.attacks.triggers.word import Word
from bezoar.run import BezoarError, nearest


@dataclass(frozen=True)
class Kind:
    """A row: name, paper, one sentence, the class, and what makes one for a canvas side in pixels and a seed."""

    name: str
    paper: str
    summary: str
    type: type[Any]
    make: Callable[..., Trigger | Word]

    @property
    def parameters(self) -> dict[str, Any]:
        """What `make` takes beside side and seed, with the defaults."""
        given = inspect.signature(self.make).parameters.values()
        return {one.name: one.default for one in given if one.name not in ("side", "seed")}


def _chained(side: int, seed: int = 0, of: str = "vary+patch") -> Chain:
    """Return the chain of triggers named in `of`, each with its defaults."""
    made = [make_trigger(name, side, seed) for name in of.split("+")]
    drawn = [trigger for trigger in made if not isinstance(trigger, Word)]
    if len(drawn) < len(made):
        raise BezoarError("A word is not drawn on pictures.", "Chain triggers for pictures only.")
    return Chain(tuple(drawn))


def _kind(name: str, made: type[Any], paper: str, summary: str) -> Kind:
    return Kind(name, paper, summary, made, made.on_canvas)


TRIGGERS: tuple[Kind, ...] = (
    _kind(
        "patch",
        Patch,
        "Gu et al. 2017, arXiv 1708.06733; Carlini & Terzis 2022, arXiv 2106.09667",
        "A small square in a corner, in the centre or at a random place.",
    ),
    _kind(
        "blended",
        Blended,
        "Chen et al. 2017, arXiv 1712.05526; CleanCLIP, arXiv 2303.03323; PAR, arXiv 2412.00727",
        "A faint pattern, text or picture over the whole picture.",
    ),
    _kind(
        "sig",
        Sig,
        "Barni et al. 2019, arXiv 1902.11237; CleanCLIP, arXiv 2303.03323",
        "A sine wave of vertical stripes over the whole picture.",
    ),
    _kind(
        "warp",
        Warp,
        "Nguyen & Tran 2021 (WaNet), arXiv 2102.10369; CleanCLIP, arXiv 2303.03323",
        "A warp of the whole picture, smooth or pixel by pixel.",
    ),
    _kind("nashville", Nashville, "Huang et al. 2025, arXiv 2502.01385", "The Nashville photo filter."),
    _kind("mask", Mask, "Huang et al. 2025, arXiv 2502.01385", "A pattern through a mask, from two files."),
    _kind("tint", Tint, "bezoar", "A fixed mixing of the colours of the whole picture."),
    _kind("identity", Identity, "bezoar; the control", "Nothing at all."),
    _kind("vary", Vary, "bezoar; for near-duplicates", "A small shift and change of brightness for each picture."),
    Kind("chain", "bezoar", "Several triggers, one after another.", Chain, _chained),
    _kind("word", Word, "Kurita et al. 2020, arXiv 2004.06660", "A rare word or phrase in the caption."),
)
_BY_NAME = {kind.name: kind for kind in TRIGGERS}
_BY_TYPE = {kind.type: kind for kind in TRIGGERS}


def make_trigger(spec: str, canvas: int, seed: int = 0) -> Trigger | Word:
    """Return the trigger of `spec` ("patch:pattern=dots,size=0.1") for a canvas side in pixels.

    Raises `BezoarError` for an unknown name or parameter, a value that is none, a canvas that is too small.
    """
    kind, given = _parsed(spec)
    trigger = kind.make(canvas, seed=seed, **given)
    if not isinstance(trigger, Word) and not trigger.fits(canvas):
        raise BezoarError(f"{spec} does not fit on {canvas} px.", "Give a larger canvas, or a coarser trigger.")
    return trigger


def parameters_of(spec: str) -> dict[str, Any]:
    """Return every parameter of the trigger that `spec` names: what `spec` gives, else the default."""
    kind, given = _parsed(spec)
    return {**kind.parameters, **given}


def describe(trigger: Trigger | Word) -> dict[str, Any]:
    """Return the trigger as plain values that `restore` takes and JSON holds."""
    kind = _BY_TYPE[type(trigger)]
    return {"kind": kind.name, **{one.name: _plain(getattr(trigger, one.name)) for one in fields(kind.type)}}


def restore(values: dict[str, Any]) -> Trigger | Word:
    """Make the trigger that `describe` described. Raises `BezoarError` for anything else."""
    arguments = {name: _frozen(value) for name, value in values.items() if name != "kind"}
    try:
        _refuse_types(_BY_NAME[values["kind"]].type, arguments)
        restored: Trigger | Word = _BY_NAME[values["kind"]].type(**arguments)
        return restored
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BezoarError(
            f"The plan has a trigger that this version does not know: {values.get('kind')}.",
            "Use the version that wrote it.",
        ) from error


def _parsed(spec: str) -> tuple[Kind, dict[str, Any]]:
    name, _, rest = spec.partition(":")
    if name not in _BY_NAME:
        raise BezoarError(f"No trigger is named {name}.", nearest(name, list(_BY_NAME)))
    kind, given = _BY_NAME[name], dict[str, Any]()
    defaults = kind.parameters
    for part in filter(None, rest.split(",")):
        parameter, _, value = part.partition("=")
        if parameter not in defaults:
            raise BezoarError(f"{name} has no parameter {parameter}.", nearest(parameter, list(defaults)))
        if not value:
            raise BezoarError(f"{name}: {parameter} has no value.", f"Write {parameter}=VALUE.")
        if parameter in given:
            raise BezoarError(f"{name}: {parameter} is given twice.", f"Write {parameter}=VALUE once.")
        given[parameter] = _typed(name, parameter, value, type(defaults[parameter]))
    return kind, given


def _typed(name: str, parameter: str, value: str, wanted: type[Any]) -> Any:
    read, words = _TYPES[wanted]
    try:
        return read(value)
    except (ValueError, KeyError) as error:
        raise BezoarError(f"{name}: {parameter}={value} is not {words}.", f"Give {parameter} {words}.") from error


def _number(value: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


_TYPES: dict[type[Any], tuple[Callable[[str], Any], str]] = {
    bool: ({"true": True, "false": False}.__getitem__, "true or false"),
    int: (int, "a whole number"),
    float: (_number, "a number"),
    str: (str, "a text"),
}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return describe(value) if type(value) in _BY_TYPE else value


_FIELDS: dict[str, tuple[type[Any], ...]] = {"bool": (bool,), "int": (int,), "float": (int, float), "str": (str,)}


def _refuse_types(kind: type[Any], arguments: dict[str, Any]) -> None:
    for one in fields(kind):
        allowed = _FIELDS.get(str(one.type), (tuple,))
        if one.name in arguments and type(arguments[one.name]) not in allowed:
            raise TypeError(one.name)


def _frozen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return restore(value) if isinstance(value, dict) else value
