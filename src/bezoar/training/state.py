"""What a training is made of between two steps, and its checkpoint.

* Weights, optimiser, the place in the course, which rows are safe, the banks, the weights that a watch accepted last
  and torch's random state: all that the next step depends on, and no more.
"""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from bezoar.detection.together import campaign_size, together
from bezoar.embeddings import unit
from bezoar.run import write_bytes
from bezoar.training.banks import Bank
from bezoar.training.freezing import frozen_towers
from bezoar.training.looks import Looks, Rows
from bezoar.training.losses import TERMS
from bezoar.training.places import Course, Place
from bezoar.training.signals import SIGNALS, Scene
from bezoar.training.splits import Campaign, Split, divide

CHECKPOINT = "checkpoint.pt"
FEWEST_BATCHES_IN_BANK = 8
BANK_SHARE = 0.02

Safe = NDArray[np.bool_]


class Both(nn.Module):
    """The towers and, where classes are learnt, a head on raw image vectors: one module, as DDP wants it."""

    def __init__(self, clip: nn.Module, classes: int | None, width: int) -> None:
        super().__init__()
        self.clip = clip
        self.head = None if classes is None else nn.Linear(width, classes)

    def forward(self, pixels: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Return unit image vectors, unit text vectors, the scale, and the head's logits (B, c)."""
        if self.head is None:
            images, texts, scale = self.clip(pixels, tokens)[:3]
            return images, texts, scale, None
        raw = cast(Tensor, self.clip.encode_image(pixels))  # type: ignore[operator]
        scale = cast(Tensor, self.clip.logit_scale).exp()
        return nn.functional.normalize(raw, dim=-1), raw.new_zeros(0), scale, self.head(raw)


class State:
    """The state of one training; `module` is wrapped for the devices, `both` is not."""

    def __init__(
        self,
        fabric: Fabric,
        looks: Looks,
        course: Course,
        scores: NDArray[np.float64] | None,
        labels: NDArray[np.int64] | None,
    ) -> None:
        self.fabric, self.looks, self.course = fabric, looks, course
        self.scores, self.labels = scores, labels
        clip = looks.towers.module
        self.width = int(looks.towers.config["embed_dim"])
        classes = int(labels.max()) + 1 if labels is not None else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(course.settings.seed)
            self.both = Both(clip, classes, self.width)
        self.initial = copy.deepcopy(self.both.state_dict())
        self.module, self.optimiser = fabric.setup(self.both, self._new_optimiser())
        self.banks = self._new_banks()
        self.place, self.begun = Place(), False
        self.steps_done = self.epochs_done = 0
        self.safe: Safe | None = None
        self.worst: Safe | None = None
        self.share: float | None = None
        self.accepted: dict[str, Tensor] | None = None
        self.stopped = False
        self.asked = 0.0
        self.train_mode()

    @property
    def head(self) -> nn.Linear | None:
        """The classifier that was learnt beside the towers."""
        return self.both.head

    def train_mode(self) -> None:
        """Put the module into training mode, but for frozen towers."""
        self.module.train()
        for tower in frozen_towers(self.course.settings.learn, self.looks.towers.module):
            tower.eval()

    def rows(self, which: Literal["all", "safe", "risky", "worst"], usable: Rows) -> Rows:
        """Return the positions of all usable rows, of those on one side of the split, or of the worst of the risky."""
        if which == "all" or self.safe is None or self.worst is None:
            return usable
        return usable[{"safe": self.safe, "risky": ~self.safe, "worst": self.worst}[which][usable]]

    def divide(self, split: Split, usable: Rows) -> None:
        """Decide anew which rows are safe, and which are pushed; all processes take the first one's word."""
        trust, size = self._trust(split, usable)
        found, share = divide(split, trust, self.share, size)
        safe, worst = np.zeros(len(self.looks.decoded), bool), np.zeros(len(self.looks.decoded), bool)
        safe[usable] = found
        risky = usable[~found][np.argsort(trust[~found], kind="stable")]
        times = split.rule.times if isinstance(split.rule, Campaign) else 1.0
        worst[risky[: round(len(risky) / times)]] = True
        self.safe, self.worst, self.share = self.fabric.broadcast((safe, worst, share))

    def sides(self, usable: Rows) -> dict[str, int] | None:
        """Return how many rows the split keeps, distrusts most ("worst") and leaves out beside them; None without."""
        if self.safe is None:
            return None
        worst = len(self.rows("worst", usable))
        doubtful = len(self.rows("risky", usable)) - worst
        return {"kept": len(self.rows("safe", usable)), "worst": worst, "doubtful": doubtful}

    def restart(self) -> None:
        """Go back to the weights at the start, with a new optimiser and empty banks."""
        self.both.load_state_dict(self.initial)
        self.optimiser.state.clear()
        self.banks = self._new_banks()

    def accept(self) -> None:
        """Remember the weights as they are: the watch has accepted them."""
        self.accepted = {name: value.detach().clone() for name, value in self.both.state_dict().items()}

    def is_finite(self) -> bool:
        """Say whether all weights are numbers: the loss of a step tells nothing of its gradient."""
        return all(bool(torch.isfinite(weight).all()) for weight in self.both.parameters())

    def go_back(self) -> None:
        """Put the last accepted weights back, those at the start where there are none; training ends here."""
        self.both.load_state_dict(self.initial if self.accepted is None else self.accepted)
        self.stopped = True

    def resume(self, folder: Path, identity: str) -> None:
        """Take up the checkpoint of this very training, if there is one."""
        path = folder / CHECKPOINT
        if not path.is_file():
            return
        kept = torch.load(path, map_location="cpu", weights_only=True)
        if kept["identity"] != identity:
            return
        self.both.load_state_dict(kept["module"])
        self.optimiser.load_state_dict(kept["optimiser"])
        for name, bank in self.banks.items():
            bank.restore(kept["banks"][name])
        self.place, self.begun = Place(*kept["place"]), kept["begun"]
        self.steps_done, self.epochs_done = kept["steps_done"], kept["epochs_done"]
        self.safe = None if kept["safe"] is None else kept["safe"].numpy()
        self.worst = None if kept["worst"] is None else kept["worst"].numpy()
        self.share, self.accepted, self.stopped = kept["share"], kept["accepted"], kept["stopped"]
        self.asked = kept["asked"]
        self.fabric.strategy.precision.load_state_dict(kept["scaler"])
        torch.set_rng_state(kept["random"])

    def keep(self, folder: Path, identity: str) -> None:
        """Write a checkpoint."""
        if self.fabric.global_rank != 0:
            return
        place = self.place
        kept: dict[str, Any] = {
            "identity": identity,
            "module": self.both.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "banks": {name: bank.state() for name, bank in self.banks.items()},
            "place": (place.phase, place.epoch, place.walk, place.step),
            "begun": self.begun,
            "steps_done": self.steps_done,
            "epochs_done": self.epochs_done,
            "safe": None if self.safe is None else torch.from_numpy(self.safe),
            "worst": None if self.worst is None else torch.from_numpy(self.worst),
            "share": self.share,
            "accepted": self.accepted,
            "stopped": self.stopped,
            "asked": self.asked,
            "scaler": self.fabric.strategy.precision.state_dict(),
            "random": torch.get_rng_state(),
        }
        buffer = io.BytesIO()
        torch.save(kept, buffer)
        write_bytes(folder / CHECKPOINT, buffer.getvalue())

    def _trust(self, split: Split, usable: Rows) -> tuple[NDArray[np.float64], int]:
        """Return how far each usable row is trusted, by the scan where there is one, else by the split's signal.

        And the size of the campaign that this speaks of, where distrust is shared among like captions.
        """
        if self.scores is not None and not split.shared:
            return -self.scores[usable], 0
        device, seed = str(self.fabric.device), self.course.settings.seed
        self.looks.towers.module.eval()
        text = _own_text_vectors(self.looks, usable, device)
        if self.scores is not None:
            trust = -self.scores[usable]
        else:
            trust = SIGNALS[split.signal].function(
                Scene(self.looks.towers, self.looks.decoded, usable, text, device=device, seed=seed)
            )
        self.train_mode()
        if not split.shared:
            return trust, 0
        captions = unit(text)
        return -together(-trust, captions, seed=seed), campaign_size(-trust, captions, seed=seed)

    def _new_optimiser(self) -> torch.optim.Optimizer:
        settings = self.course.settings
        return torch.optim.AdamW(
            _groups(self.both, settings.weight_decay),
            lr=settings.learning_rate,
            betas=settings.betas,
            eps=settings.eps,
            # Fabric cannot clip what a fused step scales back by itself.
            fused=settings.precision != "16-mixed" or settings.clip_gradients is None,
        )

    def _new_banks(self) -> dict[str, Bank]:
        course = self.course
        read = {name for term in TERMS.values() if course.recipe.uses(term.name) for name in term.banks}
        least = FEWEST_BATCHES_IN_BANK * course.settings.batch
        size = course.settings.bank or max(round(BANK_SHARE * course.pairs), least)
        return {name: Bank(size, self.width, device=str(self.fabric.device)) for name in sorted(read)}


@torch.inference_mode()
def _own_text_vectors(looks: Looks, usable: Rows, device: str) -> NDArray[np.float32]:
    """Return raw text vectors (n, d) of the first caption of each row."""
    first = looks.table.owned[looks.table.starts[usable]]
    unique, place = np.unique(first, return_inverse=True)
    parts = [
        looks.towers.encode_text(tokens.to(device)).float().cpu().numpy()
        for tokens in looks.tokens[torch.from_numpy(unique)].split(256)
    ]
    return np.asarray(np.concatenate(parts)[place], np.float32)


def _groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    # Gains, biases and the logit scale are not decayed: shrinking them is no regularisation.
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
