"""The slow steps of a scan: reading, training, embedding, what some detectors ask for, copies, canaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks import Plan
from bezoar.canvas import Canvas
from bezoar.detection.copies import Copies, find_copies
from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence
from bezoar.detection.neighbours import Indices
from bezoar.detection.power import look_for
from bezoar.detection.prints import Prints
from bezoar.embeddings import Embeddings, embed_pairs
from bezoar.models import Towers, load, save
from bezoar.models.towers import CONFIG_FILE
from bezoar.pairs import Pairs
from bezoar.pairs.decoded import Decoded, typical_side
from bezoar.report.power_lines import power_summary
from bezoar.run import (
    Progress,
    Run,
    duration,
)
from bezoar.training.canaries import Planted
from bezoar.training.early import EARLY_FILE, keep_early_fit
from bezoar.training.further import add_early, add_tower, fit_by
from bezoar.training.recipes import RECIPES
from bezoar.training.start import SMALL_ARCH, choose_training, new_towers
from bezoar.training.trainer import fit
from bezoar.views import VIEWS

CANARIES = Path("power") / "embeddings"
# Of the minutes of a scan; views, detectors and the report take the rest.
TRAINING_SHARE = 0.7
Flags = Callable[[Evidence], tuple[Scores, NDArray[np.bool_]]]


@dataclass(frozen=True)
class Steps:
    """The slow steps of one scan, each noted in its run."""

    run: Run
    seed: int
    device: str
    progress: Progress

    def read(self, pairs: Pairs, canvas: Canvas) -> tuple[Decoded, Prints]:
        """Decode all pictures, and keep what tells copies."""
        decoded, prints = Decoded(pairs, canvas), Prints.blank(len(pairs))
        with self.run.step("read"), self.progress.bar("read", len(pairs)) as bar:
            decoded.decode_all(bar.advance, look=prints.take)
            bar.note(f"{len(pairs) - len(decoded.usable()):,} unreadable")
        return decoded, prints

    def train(
        self, pairs: Pairs, minutes: float, rung: int | None, early: bool
    ) -> tuple[Towers, Decoded, Prints, list[str]]:
        """Train a small model on the pairs, or take up the one that an interrupted scan left.

        `early`: keep how well each pair fits early on.
        """
        choice = choose_training(
            len(pairs),
            source_side=typical_side(pairs),
            seconds=minutes * 60 * TRAINING_SHARE,
            rung=rung if rung is not None else self.run.get("rung"),
            settings=replace(RECIPES["clip"].settings, seed=self.seed),
            device=self.device,
        )
        self.run.note("rung", choice.rung)
        towers = new_towers(pairs.captions, SMALL_ARCH, side=choice.side, seed=self.seed)
        self.progress.say(
            f"{len(pairs):,} pairs. Trains a small model on them first: {choice.settings.epochs} epochs at "
            f"{choice.side} px on {self.device} (rung {choice.rung}), about "
            f"{duration(choice.seconds / TRAINING_SHARE)} in all."
        )
        (decoded, prints), folder = self.read(pairs, towers.canvas), self.run.path / "model"
        file = self.run.path / EARLY_FILE
        if (folder / CONFIG_FILE).is_file() and (file.is_file() or not early):
            towers = load(folder, self.device)
        else:
            watch = keep_early_fit(decoded, file, device=self.device) if early else None
            with self.run.step("train"):
                fit(towers, decoded, choice.settings, folder, watch=watch, device=self.device, progress=self.progress)
            save(towers, folder)
        note = f"The scan trained its own model at {choice.side} px: a trigger of a few pixels there may be unseen."
        return towers, decoded, prints, [note]

    def embed(self, decoded: Decoded, towers: Towers, model: str | Path, into: str | Path = "embeddings") -> Embeddings:
        """Embed all pairs and their views."""
        with self.run.step("embed"):
            return embed_pairs(
                decoded,
                towers,
                self.run.path / into,
                model=str(model),
                looks=VIEWS,
                device=self.device,
                progress=self.progress,
            )

    def further(
        self,
        evidence: Evidence,
        usable: Indices,
        decoded: Decoded,
        towers: Towers | None,
        stranger: Towers | None,
        early: bool,
    ) -> Evidence:
        """Add what only some detectors ask for; `early` where the training was watched."""
        evidence = add_tower(evidence, towers, self.device)
        if early:
            evidence = add_early(evidence, self.run.path / EARLY_FILE, len(decoded), usable)
        if stranger is not None:
            folder = self.run.path / "independent"
            with self.run.step("independent"):
                fits = fit_by(stranger, decoded.pairs, folder, device=self.device, progress=self.progress)
            evidence = replace(evidence, independent=fits[usable])
        return evidence

    def copies(self, prints: Prints, evidence: Evidence) -> Copies:
        """Find the copies among the pairs that can be scored."""
        with self.run.step("copies"), self.progress.step("copies") as step:
            copies = find_copies(prints, evidence.captions or (), evidence.image, seed=self.seed)
            step.note(f"{int((copies.duplicate_of >= 0).sum()):,} pictures repeat another")
        return copies

    def plant(self, pairs: Pairs, canaries: Plan) -> Pairs:
        """Return the pairs with canaries behind them, and keep the plan in the run."""
        canaries.save(self.run.path / CANARIES.parent)
        self.progress.say(f"Plants {len(canaries.planted):,} canaries beside the pairs that the model trains on.")
        return pairs.with_plan(canaries)

    def power(self, planted: Planted, flags: Flags) -> dict[str, Any]:
        """Return how many canaries the scan finds, and how far the model took each trigger in."""
        with self.run.step("power"), self.progress.step("power"):
            learned = planted.learned(self.seed, self.device)
            return power_summary(look_for(planted.whole, planted.own, planted.campaigns, flags), learned)
