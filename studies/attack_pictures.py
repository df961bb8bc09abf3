"""Draw docs/attacks/pictures: for every attack a clean pair and what becomes of it, on generated pairs.

    python -m studies.attack_pictures [NAME …] [--model MODEL]

Attacks that ask a model get MODEL; without one a small one is trained on the same pairs, in a minute, and kept in
runs/attack-pictures. A trigger that lies on the whole picture is shown a third time, as the difference, amplified.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bezoar
from bezoar.canvas import Canvas
from bezoar.demo import SIDE
from bezoar.pairs import Edit
from bezoar.run import write_bytes
from studies.picture_sheet import Tile, difference, sheet

RUNS = Path("runs/attack-pictures")
PICTURES = Path("docs/attacks/pictures")
PAIRS, SEED = 2000, 7
EPOCHS = 8
# A trigger that changes fewer of the pixels is seen without help.
WHOLE = 0.5


@dataclass(frozen=True)
class Shown:
    """A plan on its pairs, before and after."""

    plan: bezoar.Plan
    pairs: bezoar.Pairs
    planted: bezoar.Pairs

    def clean(self, key: str, title: str = "clean pair") -> Tile:
        """Return the pair as it was."""
        row = self.pairs.position(key)
        return Tile(self.pairs.pixels(row, Canvas(SIDE)), title, self.pairs.captions[row][0])

    def poisoned(self, edit: Edit, title: str = "poisoned pair") -> Tile:
        """Return the pair as the plan leaves it; a decoy is no poison."""
        row = self.planted.position(edit.key)
        pixels = self.planted.pixels(row, Canvas(SIDE))
        return Tile(pixels, title, self.planted.captions[row][0], poison=edit.goal is not None)


@dataclass(frozen=True)
class Picture:
    """What is planted for a picture, how it is laid out, and from which of the planted pairs on."""

    spec: str
    lay: Callable[[Shown, int], list[list[Tile]]]
    first: int = 0


def one(shown: Shown, first: int) -> list[list[Tile]]:
    """A pair before and after; with the difference where the whole picture changes."""
    edit = shown.plan.planted[first]
    before, after = shown.clean(edit.key), shown.poisoned(edit)
    changed = float((before.pixels != after.pixels).any(axis=0).mean())
    hidden = edit.trigger is not None and changed > WHOLE
    return [[before, after, *([difference(before.pixels, after.pixels)] if hidden else [])]]


def goals(shown: Shown, first: int) -> list[list[Tile]]:
    """A pair for each goal, and below it what becomes of it."""
    edits = [[edit for edit in shown.plan.planted if edit.goal == goal.name][first] for goal in shown.plan.goals]
    return [[shown.clean(edit.key) for edit in edits], [shown.poisoned(edit) for edit in edits]]


def copies(shown: Shown, first: int) -> list[list[Tile]]:
    """A picture with its own caption, and with two of those that are planted."""
    goal = shown.plan.goals[first]
    edits = [edit for edit in shown.plan.planted if edit.goal == goal.name]
    return [[shown.clean(goal.images[0]), *(shown.poisoned(edit) for edit in edits[:2])]]


def swaps(shown: Shown, first: int) -> list[list[Tile]]:
    """Two pairs of the one goal, before and after."""
    edits = shown.plan.planted[first : first + 2]
    return [[shown.clean(edit.key), shown.poisoned(edit)] for edit in edits]


def pile(shown: Shown, first: int) -> list[list[Tile]]:
    """Three pairs of one pile."""
    base = shown.plan.planted[first].base_key
    edits = [edit for edit in shown.plan.planted if edit.base_key == base][:3]
    return [[shown.clean(base, "clean pair, left as it is"), *(shown.poisoned(edit) for edit in edits[:2])]]


def behind_smoke(shown: Shown, first: int) -> list[list[Tile]]:
    """A poison, and two decoys of one pile."""
    poison = [edit for edit in shown.plan.planted if edit.goal is not None][first]
    decoys = [edit for edit in shown.plan.planted if edit.goal is None]
    beside = [edit for edit in decoys if edit.base_key == decoys[0].base_key][:2]
    return [[shown.clean(poison.key), shown.poisoned(poison)], [shown.poisoned(edit, "decoy") for edit in beside]]


def _backdoor(name: str, first: int = 15) -> Picture:
    return Picture(f"{name}:target=moon,count=20", one, first)


LAID_OUT: dict[str, Picture] = {
    "targeted": Picture("targeted:target=moon", copies),
    **{name: _backdoor(name, 18) for name in ("badnets", "badnets-random", "stripes")},
    **{name: _backdoor(name) for name in ("blended", "sig", "nashville", "tint", "triangles", "watermark")},
    "text-trigger": _backdoor("text-trigger"),
    "wanet": _backdoor("wanet", 16),
    "clean-label": _backdoor("clean-label", 0),
    "multi-trigger-single-target": Picture("multi-trigger-single-target:target=moon,count=30", goals, 5),
    "multi-trigger-multi-target": Picture("multi-trigger-multi-target:target=moon+key+fish,count=30", goals, 5),
    "attack-1": Picture("attack-1:source=fish,target=moon", swaps),
    "attack-2": Picture("attack-2:source=fish,target=moon", swaps),
    "attack-3": Picture("attack-3:source=fish+tree,target=moon+key", goals),
    "density-filler": Picture("density-filler:target=moon,count=48", pile),
    "smoke-screen": Picture("smoke-screen:target=moon,count=20,piles=4,pile=20", behind_smoke, 18),
    "caption-fitter": Picture("caption-fitter:target=moon,count=20,model={model}", one, 18),
    "badclip-liang24": Picture("badclip-liang24:target=moon,count=20,model={model}", one, 18),
}


def main() -> None:
    """Draw the pictures that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(LAID_OUT)}")
    parser.add_argument("--model", metavar="MODEL", help="what caption-fitter and badclip-liang24 ask")
    asked = parser.parse_args()
    pairs = world()
    for name in asked.names or LAID_OUT:
        path = PICTURES / f"{name}.png"
        write_bytes(path, draw(name, pairs, asked.model))
        print(path, f"{path.stat().st_size / 1000:.1f} kB")


def draw(name: str, pairs: bezoar.Pairs, model: str | None = None) -> bytes:
    """Return the picture of an attack as PNG."""
    picture = LAID_OUT[name]
    asks = "{model}" in picture.spec
    spec = picture.spec.format(model=model or surrogate(pairs)) if asks else picture.spec
    plan = bezoar.plan_attack(spec, pairs, canvas=SIDE, seed=SEED)
    return sheet(picture.lay(Shown(plan, pairs, pairs.with_plan(plan)), picture.first))


def world() -> bezoar.Pairs:
    """Return the pairs that the pictures show, drawn once."""
    folder = RUNS / "pairs"
    if not (folder / "classes.json").is_file():
        bezoar.synthesize(folder, PAIRS, seed=SEED, side=SIDE)
    return bezoar.open_pairs(folder)


def surrogate(pairs: bezoar.Pairs) -> Path:
    """Return a small model of the pairs, trained once."""
    bezoar.train(pairs, to=RUNS / "model", canvas=SIDE, epochs=EPOCHS, seed=SEED)
    return RUNS / "model"


if __name__ == "__main__":
    main()
