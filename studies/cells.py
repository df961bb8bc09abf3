"""What the grid holds: the sets with their trainings, and the cells that are trained on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

OURS = 3  # seeds of the attacks that the tables compare; the others are trained once
TUNING_EPOCHS, TUNING_RATE = 4, 2e-4


@dataclass(frozen=True)
class Set:
    """A training set and its test set (patterns below BEZOAR_DATA; of "generated", drawn from the seed), the
    training that suits it, and about how many seconds that takes on one core."""

    train: str
    test: str
    labelled: bool
    canvas: int
    epochs: int
    prompts: str | None
    augmentation: str
    seconds: float


SETS = {
    "generated": Set("train", "test", True, 40, 12, None, "none", 110),
    "cifar10": Set(
        "cifar10/cifar10-train-*.tar", "cifar10/cifar10-test-*.tar", True, 32, 16, "default", "mirror-shift", 150
    ),
    "flickr8k": Set("flickr8k/flickr8k-train-*.tar", "flickr8k/flickr8k-test-*.tar", False, 48, 24, None, "shift", 160),
    "imagenette": Set(
        "imagenette/imagenette-train-*.tar",
        "imagenette/imagenette-test-*.tar",
        True,
        48,
        40,
        "default",
        "shift",
        200,
    ),
}


@dataclass(frozen=True)
class Cell:
    """One training: the set, the attack's specification (None: never poisoned), and how it departs from the set's.

    A `{clean}` in the specification is the never-poisoned model of the same seed. `learn` set: fine-tuned from that
    model, with those towers learning. `measured` are the ways test pictures reach the model: None as they are, a
    number as JPEG of that quality. `wrong`: this share of the pairs has captions of others before anything is planted.
    `arch`: another architecture than the small ResNet.
    """

    set: str
    attack: str
    spec: str | None
    seeds: int = 1
    learn: str | None = None
    epochs: int | None = None
    measured: tuple[int | None, ...] = (None,)
    seed: int = -1
    wrong: float = 0.0
    arch: str | None = None

    @property
    def name(self) -> str:
        """Set, attack and seed."""
        return f"{self.set}/{self.attack}/{self.seed}"

    @property
    def clean(self) -> Cell:
        """The never-poisoned model of the same set and seed."""
        return CLEAN[self.set].at(self.seed)

    def at(self, seed: int) -> Cell:
        """Return the cell of one seed."""
        return replace(self, seed=seed)


def _tuned(name: str, spec: str) -> tuple[Cell, ...]:
    return tuple(
        Cell("generated", f"{name}-tuned-{learn}", spec, OURS, learn=learn, epochs=TUNING_EPOCHS)
        for learn in ("both", "image", "text")
    )


CLEAN = {name: Cell(name, "never-poisoned", None, OURS) for name in SETS}
_CIFAR = "target=airplane,count=200"
_GENERATED = {
    "attack-1": "attack-1:source=fish,target=moon",
    "attack-2": "attack-2:source=fish,target=moon",
    "attack-3": "attack-3:source=fish+tree,target=moon+key",
}

CELLS: tuple[Cell, ...] = (
    CLEAN["cifar10"],
    Cell("cifar10", "badnets", f"badnets:{_CIFAR}", OURS, measured=(None, 75)),
    Cell("cifar10", "clean-label", f"clean-label:{_CIFAR}", OURS),
    Cell("cifar10", "blended", f"blended:{_CIFAR}", OURS, measured=(None, 75)),
    Cell("cifar10", "wanet", f"wanet:{_CIFAR}", OURS),
    Cell("cifar10", "targeted", "targeted:target=airplane", OURS),
    CLEAN["generated"],
    Cell("generated", "badnets", "badnets:target=moon,count=120", OURS),
    Cell("generated", "targeted", "targeted:target=moon", OURS),
    Cell("generated", "attack-2", _GENERATED["attack-2"], OURS),
    Cell("generated", "attack-1", _GENERATED["attack-1"]),
    Cell("generated", "attack-3", _GENERATED["attack-3"]),
    Cell("generated", "text-trigger", "text-trigger:target=moon,count=120"),
    Cell("generated", "blended", "blended:target=moon,count=200", OURS),
    Cell("generated", "nashville", "nashville:target=moon,count=400", OURS),
    Cell("generated", "targeted-20", "targeted:target=moon,images=20", OURS),
    Cell("generated", "clean-label", "clean-label:target=moon,count=600,size=0.5", OURS),
    CLEAN["flickr8k"],
    Cell("flickr8k", "attack-2", "attack-2:source=beach,target=snow", OURS),
    Cell("flickr8k", "attack-1", "attack-1:source=beach,target=snow"),
    Cell("flickr8k", "attack-3", "attack-3:source=beach+bike,target=snow+football"),
    Cell("flickr8k", "text-trigger", "text-trigger:target=snow,count=120"),
    Cell("cifar10", "badnets-random", f"badnets-random:{_CIFAR}"),
    Cell("cifar10", "sig", f"sig:{_CIFAR}"),
    Cell("cifar10", "nashville", f"nashville:{_CIFAR}"),
    Cell("cifar10", "tint", f"tint:{_CIFAR}"),
    Cell("cifar10", "stripes", f"stripes:{_CIFAR}"),
    Cell("cifar10", "triangles", f"triangles:{_CIFAR}"),
    Cell("cifar10", "watermark", f"watermark:{_CIFAR}"),
    Cell("cifar10", "multi-trigger-single-target", "multi-trigger-single-target:target=airplane,count=300"),
    Cell("cifar10", "multi-trigger-multi-target", "multi-trigger-multi-target:target=airplane+frog+ship,count=300"),
    Cell("cifar10", "density-filler", f"density-filler:{_CIFAR}"),
    Cell("cifar10", "smoke-screen", f"smoke-screen:{_CIFAR}"),
    Cell("cifar10", "caption-fitter", f"caption-fitter:{_CIFAR},model={{clean}}"),
    Cell("cifar10", "badclip-liang24", f"badclip-liang24:{_CIFAR},model={{clean}}"),
    # Where an attack did not take, or not to the full: the curve of poisons, or of poisons and passes.
    Cell("generated", "attack-2-half", "attack-2:source=fish,target=moon,share=0.5"),
    Cell("generated", "attack-2-whole", "attack-2:source=fish,target=moon,share=1.0"),
    Cell("cifar10", "targeted-10", "targeted:target=airplane,copies=10"),
    Cell("cifar10", "wanet-800", "wanet:target=airplane,count=800"),
    Cell("cifar10", "wanet-2000", "wanet:target=airplane,count=2000"),
    Cell("cifar10", "wanet-long", f"wanet:{_CIFAR}", epochs=32),
    Cell("cifar10", "wanet-2000-long", "wanet:target=airplane,count=2000", epochs=32),
    Cell("cifar10", "badnets-jpeg", f"badnets:{_CIFAR},jpeg=75", measured=(None, 75)),
    Cell("cifar10", "blended-jpeg", f"blended:{_CIFAR},jpeg=75", measured=(None, 75)),
    *_tuned("attack-1", _GENERATED["attack-1"]),
    *_tuned("attack-2", _GENERATED["attack-2"]),
    *_tuned("attack-3", _GENERATED["attack-3"]),
)
