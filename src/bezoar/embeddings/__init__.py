"""Embeddings: raw image and text vectors of pairs by a model, computed in fixed batches, kept by shard."""

from bezoar.embeddings.encode import encode_caption_sets, encode_captions, encode_pictures, unit
from bezoar.embeddings.shards import Shards, open_shards
from bezoar.embeddings.store import (
    HEAD_FILE,
    Embeddings,
    aligned,
    embed_pairs,
    first,
    foreign_captions,
    load_embeddings,
)

__all__ = [
    "HEAD_FILE",
    "Embeddings",
    "Shards",
    "aligned",
    "embed_pairs",
    "encode_caption_sets",
    "encode_captions",
    "encode_pictures",
    "first",
    "foreign_captions",
    "load_embeddings",
    "open_shards",
    "unit",
]
