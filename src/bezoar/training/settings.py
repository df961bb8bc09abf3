"""The constants of one training."""

from __future__ import annotations

from dataclasses import dataclass

from bezoar.run import BezoarError, nearest

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
LEARNING = ("both", "image", "text")
VIEWS = ("fresh", "frozen")


@dataclass(frozen=True)
class Settings:
    """How a model is trained. The defaults suit a small tower and some ten thousand pairs on a CPU.

    `epochs` passes over the set; `batch` pairs a step on all devices together; AdamW with `learning_rate`,
    `betas`, `eps`, `weight_decay` (on tensors of two or more axes only); the rate rises over the first `warmup`
    share of the steps and falls by a cosine to zero at the last; `clip_gradients` is the largest norm, None for
    none; `precision` is Lightning Fabric's name, one of PRECISIONS; exp(logit scale) stays in [1, `largest_scale`];
    `learn` is the tower that trains, one of LEARNING: the other one is frozen (`bezoar.training.freezing`).
    `augmentation` is how every picture is changed before all else, a name of `bezoar.views.PICTURE_VIEWS`. Random
    looks are drawn anew each epoch, or once where `views` is "frozen". `accumulate` parts of a batch go through the
    towers one after another, with the gradient of the whole batch; batch norms alone see one part at a time.
    `mask_equal`: pairs with an equal caption are no negatives of each other. `bank` is how many past vectors a recipe
    with banks keeps: None for 2 % of the pairs, at least eight batches. `threshold` and `margin` are constants of the
    recipes that name them.
    """

    epochs: int = 12
    batch: int = 64
    learning_rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = 1e-6
    weight_decay: float = 0.1
    warmup: float = 0.1
    clip_gradients: float | None = None
    precision: str = "bf16-mixed"
    largest_scale: float = 100.0
    augmentation: str = "none"
    learn: str = "both"
    views: str = "fresh"
    accumulate: int = 1
    mask_equal: bool = False
    bank: int | None = None
    threshold: float = 2.15
    margin: float = 0.1
    seed: int = 0
    devices: int = 1

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or self.learning_rate <= 0 or not 0 <= self.warmup < 1:
            raise BezoarError(
                f"epochs {self.epochs}, batch {self.batch}, learning rate {self.learning_rate} cannot be trained.",
                "Use at least one epoch, a batch of two and a rate above zero.",
            )
        if self.precision not in PRECISIONS:
            raise BezoarError(f"There is no precision {self.precision}.", nearest(self.precision, PRECISIONS))
        if self.learn not in LEARNING:
            raise BezoarError(f"There is no tower {self.learn} to learn.", nearest(self.learn, LEARNING))
        if self.views not in VIEWS:
            raise BezoarError(f"Views are not {self.views}.", nearest(self.views, VIEWS))
        if self.accumulate < 1 or self.batch % (self.accumulate * self.devices):
            raise BezoarError(
                f"A batch of {self.batch} does not go into {self.accumulate} parts on {self.devices} devices.",
                "Use a batch that is a multiple of both.",
            )
