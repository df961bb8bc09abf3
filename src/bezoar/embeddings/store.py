"""Embeddings on disk, in the layout of clip-retrieval: a numbered file a shard, float16, raw vectors.

* `img_emb/`, `text_emb/`: vectors; `metadata/`: a row a pair (key, caption, shard, row, reason).
* `view_similarity/` (bezoar's own): the cosine of each look at a picture with the pair's own caption.
* A pair that cannot be read has a zero vector and its reason.
* Vectors are mapped, not read (`Shards`); what is known of a pair besides (names, similarities of views) is in memory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from bezoar.embeddings.encode import Look, Vectors, encode_caption_sets, encode_pictures, unit
from bezoar.embeddings.shards import Shards, open_shards
from bezoar.models import Clip
from bezoar.pairs import Pairs
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError, Progress, fingerprint, write_json, writing

HEAD_FILE = "embeddings.json"
_ROWS_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class Embeddings:
    """Raw vectors of n pairs: `image` and `text` (n, d) on disk, `view_similarity` float32 (n, views) or None.

    `np.asarray(image, np.float32)` reads a whole table; `image[rows]` some rows, in the number type on disk.
    `keys`, `captions` (joined), `shards`, `rows` and `reasons` describe the pairs; `normalized` says that the
    vectors lie at length one already; `model` and `canvas` say what made them, where the folder says so.
    """

    image: Shards
    text: Shards
    view_similarity: Vectors | None
    keys: list[str]
    captions: list[str]
    shards: list[str]
    rows: list[int]
    reasons: list[str | None]
    normalized: bool
    model: str | None
    canvas: int | None


def embed_pairs(
    decoded: Decoded,
    clip: Clip,
    folder: Path,
    *,
    model: str,
    looks: Sequence[Look] = (),
    device: str = "cpu",
    progress: Progress,
) -> Embeddings:
    """Embed all pairs of `decoded` into `folder`, shard by shard; shards already there are left as they are."""
    pairs = decoded.pairs
    identity = fingerprint(pairs.fingerprint, model, decoded.canvas, len(looks))
    head = {
        "normalized": False,
        "model": model,
        "canvas": decoded.canvas.side,
        "fingerprint": identity,
        "looks": len(looks),
    }
    if (folder / HEAD_FILE).is_file() and _head(folder).get("fingerprint") != identity:
        raise BezoarError(f"{folder} holds embeddings of other pairs.", "Use another --to, or --force.")
    write_json(folder / HEAD_FILE, head)
    with progress.bar("embed", len(pairs)) as bar:
        for number, positions in enumerate(_by_shard(pairs.shards)):
            if not _file(folder, "metadata", number).is_file():
                _embed_shard(decoded, clip, folder, number, positions, looks, device)
            bar.advance(len(positions))
    return aligned(load_embeddings(folder), pairs)  # they lie shard by shard, the pairs as they were chosen


def load_embeddings(folder: Path) -> Embeddings:
    """Read a folder of embeddings: bezoar's own or any in the clip-retrieval layout."""
    files = sorted((folder / "metadata").glob("*.parquet"))
    if not files:
        raise BezoarError(f"No embeddings in {folder}.", "Name a folder with img_emb, text_emb and metadata.")
    numbers = [file.stem.removeprefix("metadata_") for file in files]
    try:
        table = pa.concat_tables([parquet.read_table(file) for file in files], promote_options="default")
    except (OSError, pa.ArrowException) as error:
        raise BezoarError(f"{folder / 'metadata'} cannot be read ({error}).", "Make the embeddings again.") from error
    image, text = open_shards(folder, "img_emb"), open_shards(folder, "text_emb")
    if not len(image) == len(text) == table.num_rows:
        raise BezoarError(
            f"{folder} holds {len(image)} image vectors, {len(text)} text vectors and {table.num_rows} rows.",
            "A file of it is missing or cut off: make it again.",
        )
    if image.shape[1] != text.shape[1]:
        raise BezoarError(
            f"{folder} holds image vectors of {image.shape[1]} numbers and text vectors of {text.shape[1]}.",
            "Name a folder whose vectors one model made.",
        )
    views = _stack(folder, "view_similarity", numbers) if (folder / "view_similarity").is_dir() else None
    if views is not None and len(views) != len(image):
        raise BezoarError(
            f"{folder} holds view similarities of {len(views)} pairs and vectors of {len(image)}.",
            "A file of it is missing or cut off: make it again.",
        )
    head = _head(folder) if (folder / HEAD_FILE).is_file() else {}
    keys = _column(table, ("key", "image_path", "id"), [str(row) for row in range(table.num_rows)])
    reasons = _column(table, ("reason", "error_message"), [None] * table.num_rows)
    return Embeddings(
        image=image,
        text=text,
        view_similarity=views,
        keys=[str(key) for key in keys],
        captions=[caption or "" for caption in _column(table, ("caption",), [""] * table.num_rows)],
        shards=_column(table, ("shard",), [""] * table.num_rows),
        rows=_column(table, ("row",), list(range(table.num_rows))),
        reasons=[reason or fault for reason, fault in zip(reasons, _faults(image, text, views), strict=True)],
        normalized=bool(head.get("normalized", _is_unit(image))),
        model=head.get("model"),
        canvas=head.get("canvas"),
    )


def aligned(stored: Embeddings, pairs: Pairs) -> Embeddings:
    """Return the vectors of `pairs`, in their order; BezoarError where a pair has none.

    A pair that the index finds faulty keeps its reason; of two pairs of one key the first counts, as it does there.
    """
    if stored.keys == list(pairs.keys):
        return replace(stored, reasons=[known or own for known, own in zip(pairs.reasons, stored.reasons, strict=True)])
    place = {key: row for row, key in reversed(list(enumerate(stored.keys)))}
    missing = [key for key in pairs.keys if key not in place]
    if missing:
        raise BezoarError(
            f"{len(missing):,} of {len(pairs):,} pairs have no vectors, {missing[0]} among them.",
            "Name the embeddings of these pairs.",
        )
    rows = np.array([place[key] for key in pairs.keys], np.int64)
    views = stored.view_similarity
    return replace(
        stored,
        image=stored.image.select(rows),
        text=stored.text.select(rows),
        view_similarity=None if views is None else views[rows],
        keys=list(pairs.keys),
        captions=[" / ".join(own) for own in pairs.captions],
        shards=list(pairs.shards),
        rows=pairs.rows.tolist(),
        reasons=[known or stored.reasons[row] for known, row in zip(pairs.reasons, rows, strict=True)],
    )


def foreign_captions(stored: Embeddings, pairs: Pairs) -> int:
    """Return how many vectors were made of another caption than the pair of that key has, as far as it is known."""
    own = dict(zip(pairs.keys, pairs.captions, strict=True))
    return sum(
        bool(caption) and caption not in (*own[key], " / ".join(own[key]))
        for key, caption in zip(stored.keys, stored.captions, strict=True)
        if key in own
    )


def first(stored: Embeddings, count: int) -> Embeddings:
    """Return the embeddings of the first `count` pairs."""
    whole: dict[str, Any] = {one.name: getattr(stored, one.name) for one in fields(stored)}
    rows = np.arange(min(count, len(stored.keys)))
    part = {
        name: value.select(rows) if isinstance(value, Shards) else value[:count]
        for name, value in whole.items()
        if isinstance(value, Shards | list | np.ndarray)
    }
    return Embeddings(**{**whole, **part})


def _embed_shard(
    decoded: Decoded,
    clip: Clip,
    folder: Path,
    number: int,
    positions: NDArray[np.int64],
    looks: Sequence[Look],
    device: str,
) -> None:
    pairs = decoded.pairs
    images = encode_pictures(clip, decoded.batch(positions), device=device, looks=looks)
    captions = [pairs.captions[position] for position in positions]
    texts = encode_caption_sets(clip, captions, device=device)
    reasons = [decoded.reasons[position] for position in positions]
    faulty = np.array([reason is not None for reason in reasons])
    images[:, faulty], texts[faulty] = 0, 0
    _write_vectors(_file(folder, "img_emb", number), images[0])
    _write_vectors(_file(folder, "text_emb", number), texts)
    if looks:
        similarity = np.einsum("vnd,nd->nv", unit(images[1:]), unit(texts))
        with writing(_file(folder, "view_similarity", number)) as file:
            np.save(file, similarity.astype(np.float32))
    table = pa.table(
        {
            "key": [pairs.keys[position] for position in positions],
            "caption": [" / ".join(own) for own in captions],
            "shard": [pairs.shards[position] for position in positions],
            "row": pairs.rows[positions],
            "reason": pa.array(reasons, pa.string()),
        }
    )
    # The table is written last: a shard that has one is whole.
    with writing(_file(folder, "metadata", number)) as file:
        parquet.write_table(table, file)


def _write_vectors(path: Path, vectors: Vectors) -> None:
    short = vectors.astype(np.float16)
    if not np.isfinite(short).all():
        raise BezoarError("The model gives vectors that float16 cannot hold.", "Train it again, or check its weights.")
    with writing(path) as file:
        np.save(file, short)


def _by_shard(shards: list[str]) -> list[NDArray[np.int64]]:
    place: dict[str, int] = {}
    number = np.array([place.setdefault(shard, len(place)) for shard in shards], np.int64)
    return [np.flatnonzero(number == one) for one in range(len(place))]


def _file(folder: Path, kind: str, number: int) -> Path:
    return folder / kind / f"{kind}_{number:04d}.{'parquet' if kind == 'metadata' else 'npy'}"


def _head(folder: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads((folder / HEAD_FILE).read_text(encoding="utf-8"))
    except ValueError as error:
        raise BezoarError(f"{folder / HEAD_FILE} is not JSON.", "Make the embeddings again.") from error
    return values


def _stack(folder: Path, kind: str, numbers: list[str]) -> Vectors:
    files = [folder / kind / f"{kind}_{number}.npy" for number in numbers]
    try:
        parts = [np.load(file, allow_pickle=False) for file in files]
        return np.concatenate(parts).astype(np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise BezoarError(f"{folder / kind} cannot be read ({error}).", "Make the embeddings again.") from error


def _column(table: pa.Table, names: tuple[str, ...], default: list[Any]) -> list[Any]:
    for name in names:
        if name in table.column_names:
            values: list[Any] = table.column(name).to_pylist()
            return values
    return default


def _faults(image: Shards, text: Shards, views: Vectors | None) -> list[str | None]:
    faults: list[str | None] = []
    for start in range(0, len(image), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        pictures, captions = image[rows], text[rows]
        # A text vector of zero stands for a picture without a caption.
        fine = np.isfinite(pictures).all(axis=1) & np.isfinite(captions).all(axis=1) & pictures.any(axis=1)
        if views is not None:
            fine &= np.isfinite(views[rows]).all(axis=1)
        faults += [None if good else "no usable vector" for good in fine]
    return faults


def _is_unit(vectors: Shards) -> bool:
    lengths = np.linalg.norm(vectors[:1000].astype(np.float32), axis=1)
    return bool(len(lengths)) and bool(np.allclose(lengths[lengths > 0], 1, atol=1e-2))
