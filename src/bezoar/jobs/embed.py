"""`bezoar embed`: raw image and text vectors of pairs by a model, in the clip-retrieval layout."""

from __future__ import annotations

from pathlib import Path

from bezoar.embeddings import embed_pairs
from bezoar.models import load, place, state_of
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.decoded import Decoded, refuse_unusable
from bezoar.run import Answer, Progress, Run, Silent, duration, pick_device, use_cores


def embed(
    pairs: str | Path | Pairs,
    *,
    model: str | Path,
    to: str | Path,
    prompts: str | None = None,
    seed: int = 0,
    device: str = "auto",
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Embed `pairs` with `model` into the folder `to`, shard by shard; started again, it goes on.

    `img_emb/` and `text_emb/` hold raw float16 vectors, `metadata/` a row a pair; a pair that cannot be read has
    a zero vector and its reason.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    opened = open_pairs(pairs, prompts=prompts, limit=limit)
    towers = load(model, device)
    run = Run.start(
        to,
        "embed",
        parameters={"model": str(model)},
        inputs={"pairs": opened.fingerprint, "model": state_of(model)},
        seed=seed,
        force=force,
        reads=[opened.path, place(model)],
    )
    progress.say(
        f"{len(opened):,} pairs, {model} at {towers.canvas.side} px on {device}: "
        f"about {duration(2 + len(opened) * (towers.canvas.side / 40) ** 2 / 5000)} for a small model."
    )
    with run.step("embed"):
        stored = embed_pairs(
            Decoded(opened, towers.canvas),
            towers,
            run.path,
            model=str(model),
            device=device,
            progress=progress,
        )
    refuse_unusable(opened, stored.reasons)
    run.finish()
    unreadable = sum(reason is not None for reason in stored.reasons)
    return Answer(
        summary={"pairs": len(opened), "unreadable": unreadable, "to": str(run.path)},
        lines=[
            f"{len(opened) - unreadable:,} of {len(opened):,} pairs embedded, {unreadable:,} unreadable.",
            f"Vectors   {run.path}",
            f"Scan      bezoar scan --embeddings {run.path} --to {run.path}-scan",
        ],
        file=str(run.path),
    )
