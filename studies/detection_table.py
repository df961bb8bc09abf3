"""What the grid of detection holds: what is planted in which set, how many times, and what else is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from studies.cells import CELLS, CLEAN, OURS, Cell

COPIES = 5  # of each picture of `targeted`
CLEAN_SEEDS = 20
ONE_SEED = (0, 100)
# Looked at with these besides: the published forms, and what length and modality are worth.
FORMS = ("k-distance:unit", "slof:unit", "dao:unit", "slof:joint", "slof:text")
WRONG = (0.05, 0.2)
# Questions that the field left open (`studies.detection_open`): asked of these attacks, by the victim's eyes.
OPEN_ATTACKS = ("badnets", "blended")
SURFACE = tuple((k, m) for m in (1024, 2048, 4096) for k in (16, 64, 256))
OPEN = (
    *(f"{name}@{form}" for name in ("k-distance", "slof", "dao") for form in ("released", "corrected")),
    *(f"slof@k={k},m={m}" for k, m in SURFACE),
)
# How the set is filtered before a model is trained on it again, the control of each behind it.
LOOPS = ("share-2", "random-2", "flagged", "random-flagged")


@dataclass(frozen=True)
class Plant:
    """An attack on a set, planted so many times; `spec` holds {n}, or {images} of COPIES copies each.

    `first`: the number that the tables compare, and that is asked everything else of.
    """

    set: str
    attack: str
    spec: str
    counts: tuple[int, ...]
    first: int
    seeds: int = 1

    def cell(self, count: int) -> Cell:
        """Return the cell that trains on it: that of `studies.grid` where it has one, so no model is made twice."""
        spec = self.spec.format(n=count, images=count // COPIES, clean="{clean}")
        known = (cell for cell in CELLS if (cell.set, cell.spec) == (self.set, SAME.get(spec, spec)))
        plain = Cell(self.set, f"{self.attack}-{count}", spec)
        found = next((cell for cell in known if cell.learn is None and cell.epochs is None), plain)
        return replace(found, seeds=self.seeds)


# One attack, spelt with what it takes by default and without.
SAME = {f"targeted:target={word},images=8": f"targeted:target={word}" for word in ("moon", "airplane")}


def _generated(attack: str, options: str, counts: tuple[int, ...], first: int) -> Plant:
    return Plant("generated", attack, f"{attack}:target=moon,{options}", counts, first, OURS)


def _cifar(attack: str, options: str = "count={n}", counts: tuple[int, ...] = (100, 200, 500), seeds: int = 1) -> Plant:
    return Plant("cifar10", attack, f"{attack}:target=airplane,{options}", counts, 200, seeds)


PLANTS = (
    _generated("badnets", "count={n}", (80, 120, 400), 120),
    _generated("blended", "count={n}", (80, 120, 200, 400), 200),
    _generated("nashville", "count={n}", (80, 120, 400), 400),
    _generated("targeted", "images={images}", (40, 80, 100, 120, 400), 100),
    _generated("clean-label", "count={n},size=0.5", (80, 120, 400, 600), 600),
    _cifar("badnets", seeds=OURS),
    _cifar("blended"),
    replace(_cifar("targeted", "images={images}", (40, 100, 200, 500)), first=40),
    _cifar("clean-label", counts=(200,)),
    Plant("imagenette", "badnets", "badnets:target=church,count={n}", (100,), 100, OURS),
    Plant("flickr8k", "badnets", "badnets:target=snow,count={n}", (120,), 120, OURS),
)
# Trained for `studies.grid` already: to look at them costs a scan and no training.
FURTHER = tuple(
    _cifar(attack, counts=(200,))
    for attack in (
        "badnets-random",
        "wanet",
        "nashville",
        "tint",
        "sig",
        "stripes",
        "triangles",
        "watermark",
        "smoke-screen",
        "density-filler",
    )
) + tuple(_cifar(attack, "count={n},model={clean}", (200,)) for attack in ("caption-fitter", "badclip-liang24"))
# With wrong captions in the set, and with the loop behind them.
NOISED = (PLANTS[0], PLANTS[1], replace(PLANTS[5], seeds=1))
LOOPED = (PLANTS[0], PLANTS[1])
# With another kind of tower: those of the generated world. In twelve passes it learns no patch (seed 0: 33 %).
OTHER_TOWER, TOWER_EPOCHS = "tiny-vit", 24
TOWERED = PLANTS[:5]


@dataclass(frozen=True)
class Job:
    """A cell of this grid: a trained model, whose eyes are looked with, and what is done about what was found.

    `encoder`: "victim" is the model that was trained on the poison, "independent" one that never saw it. `loop`: one
    of LOOPS, or empty.
    """

    cell: Cell
    attack: str
    poisons: int
    encoder: str = "victim"
    loop: str = ""

    @property
    def name(self) -> str:
        """Set, attack with the number of poisons and the setting, encoder and loop where there is one, seed."""
        attack = f"{self.attack}-{self.poisons}" if self.poisons else self.attack
        aside = [f"@{self.encoder}"] if self.encoder != "victim" else []
        aside += [f"loop-{self.loop}"] if self.loop else []
        return "/".join([self.cell.set, f"{attack}{self.setting}", *aside, str(self.cell.seed)])

    @property
    def setting(self) -> str:
        """What departs from the plain set and tower, such as +wrong-5; empty for nothing."""
        wrong = f"+wrong-{round(100 * self.cell.wrong)}" if self.cell.wrong else ""
        return wrong + (f"+{self.cell.arch}" if self.cell.arch else "")

    @property
    def seed(self) -> int:
        """The seed of the cell."""
        return self.cell.seed

    @property
    def thorough(self) -> bool:
        """Whether what is costly is asked here as well: with one seed, of the victims that the tables compare."""
        compared = any((one.set, one.attack, one.first) == (self.cell.set, self.attack, self.poisons) for one in PLANTS)
        return compared and self.seed in ONE_SEED and self.encoder == "victim" and not self.setting


def all_jobs(seeds: list[int]) -> Iterator[Job]:
    """Yield the cells of these seeds, the most telling first, and one of each seed before the next."""
    plants = PLANTS
    yield from _at(seeds, [Job(plant.cell(plant.first), plant.attack, plant.first) for plant in plants])
    yield from _at(seeds, [_clean(name, OURS) for name in CLEAN])
    yield from _at(seeds, [_noised(plant, wrong) for plant in NOISED for wrong in WRONG])
    yield from _at(seeds, [_towered(plant) for plant in TOWERED])
    yield from _at(seeds, [replace(_first(plant), loop=loop) for plant in LOOPED for loop in LOOPS])
    yield from _at(seeds, [replace(_first(plant), encoder="independent") for plant in plants])
    others = [(plant, n) for plant in plants for n in plant.counts if n != plant.first]
    yield from _at(seeds, [Job(plant.cell(n), plant.attack, n) for plant, n in others])
    yield from _at(seeds, [_first(plant) for plant in FURTHER])
    yield from (_seeded(_clean("generated", CLEAN_SEEDS), seed) for seed in seeds[OURS:CLEAN_SEEDS])


def _first(plant: Plant) -> Job:
    return Job(plant.cell(plant.first), plant.attack, plant.first)


def _clean(name: str, seeds: int) -> Job:
    return Job(replace(CLEAN[name], seeds=seeds), "never-poisoned", 0)


def _noised(plant: Plant, wrong: float) -> Job:
    cell = plant.cell(plant.first)
    noised = replace(cell, attack=f"{plant.attack}-{plant.first}+wrong-{round(100 * wrong)}", wrong=wrong)
    return Job(noised, plant.attack, plant.first)


def _towered(plant: Plant) -> Job:
    cell = plant.cell(plant.first)
    name = f"{plant.attack}-{plant.first}+{OTHER_TOWER}"
    return Job(replace(cell, attack=name, arch=OTHER_TOWER, epochs=TOWER_EPOCHS, seeds=1), plant.attack, plant.first)


def _at(seeds: list[int], jobs: list[Job]) -> Iterator[Job]:
    for place, seed in enumerate(seeds):
        yield from (_seeded(job, seed) for job in jobs if place < job.cell.seeds)


def _seeded(job: Job, seed: int) -> Job:
    return replace(job, cell=job.cell.at(seed))
