"""How often `evaluate --trigger` errs: never-poisoned models asked for backdoors that they cannot have, and poisoned
ones for what was planted.

    BEZOAR_DATA=… python -m studies.verdicts [--seeds 100]

The models are those of the grid. The counts go to docs/studies/verdicts.json, the table into docs/evaluate.md.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from pathlib import Path

import bezoar
from studies.cells import CELLS, CLEAN, Cell
from studies.grid import test_pairs, train
from studies.pages import markdown

TRIGGERS = ("patch", "blended", "sig", "nashville")
PLANTED = ("badnets", "clean-label", "blended")
ANSWERS = ("does not carry", "undecided", "carries")
FIGURES, PAGE = Path("docs/studies/verdicts.json"), Path("docs/evaluate.md")


def main() -> None:
    """Ask, count, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[100])
    seeds = parser.parse_args().seeds
    classes = bezoar.open_pairs(test_pairs(CLEAN["cifar10"].at(seeds[0])), prompts="default").classes
    counts: dict[str, Counter[str]] = {}
    for seed in seeds:
        for trigger in TRIGGERS:
            row = counts.setdefault(f"never poisoned, {trigger}", Counter())
            row.update(answer(CLEAN["cifar10"].at(seed), trigger, target) for target in classes)
        for name in PLANTED:
            row = counts.setdefault(f"poisoned with {name}, what was planted", Counter())
            row[answer(_cell(name, seed), None, "airplane")] += 1
    FIGURES.write_text(json.dumps({name: dict(row) for name, row in counts.items()}, indent=1) + "\n")
    lines = [(name, *(str(row[told]) for told in ANSWERS)) for name, row in counts.items()]
    table = markdown(("asked", *ANSWERS), lines)
    text = re.sub(r"(<!-- verdicts -->\n).*?(<!-- end -->)", rf"\g<1>{table}\g<2>", PAGE.read_text(), flags=re.DOTALL)
    PAGE.write_text(text)
    print(table)


def answer(cell: Cell, trigger: str | None, target: str) -> str:
    """Return which of the three answers a model gets; without a trigger it is asked for that of its own plan."""
    model, plan = train(cell)
    if trigger is None:
        assert plan is not None
        plan.save(model.parent / "plan")
    name = re.sub(r"\W+", "-", f"{trigger or 'own'}-{target}")
    verdicts = bezoar.evaluate(
        model,
        to=model.parent / "verdicts" / name,
        images=test_pairs(cell),
        trigger=trigger or model.parent / "plan",
        target=target,
        prompts="default",
    ).summary["verdicts"]
    return next(told for told in ANSWERS if told in verdicts[0])


def _cell(name: str, seed: int) -> Cell:
    return next(cell for cell in CELLS if (cell.set, cell.attack) == ("cifar10", name)).at(seed)


if __name__ == "__main__":
    main()
