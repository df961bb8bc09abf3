"""`bezoar attacks [NAME]`: the table of attacks, or all parameters of one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bezoar.cli.tables import listing
from bezoar.run import Answer, BezoarError, Progress, nearest

if TYPE_CHECKING:
    from bezoar.attacks import Attack


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of attacks."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="tell the parameters of this attack")


def call(asked: argparse.Namespace, _progress: Progress) -> Answer:
    """List the attacks, or tell about one."""
    from bezoar.attacks import ATTACKS

    if asked.name is None:
        listed = listing((attack, _parameters(attack)) for attack in ATTACKS)
        return Answer(listed.summary, [*listed.lines, "", "bezoar attacks NAME tells the parameters of one."])
    table = {attack.name: attack for attack in ATTACKS}
    if asked.name not in table:
        raise BezoarError(f"No attack is named {asked.name}.", nearest(asked.name, list(table)))
    return _told(table[asked.name])


def _parameters(attack: Attack) -> dict[str, Any]:
    return {**attack.parameters, **attack.trigger_parameters}


def _told(attack: Attack) -> Answer:
    one = listing([(attack, _parameters(attack))])
    (row,) = one.summary["rows"]
    width = max(map(len, row["parameters"]))
    lines = [f"  {name:<{width}}  {_default(value)}" for name, value in row["parameters"].items()]
    needed = ",".join(f"{name}=…" for name, value in row["parameters"].items() if value == "REQUIRED")
    return Answer(row, [*one.lines, "", *lines, "", f"bezoar poison PAIRS --attack {attack.name}:{needed},… --to DIR"])


def _default(value: Any) -> str:
    return {"REQUIRED": "has to be given", "None": "–"}.get(str(value), str(value))
