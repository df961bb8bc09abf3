"""Embeddings: raw image and text vectors of pairs by a model, computed in fixed batches, kept by shard."""

from bezoar.embeddings.encode import encode_caption_sets, encode_captions, encode_pictures, unit
from bezoar.embeddings.store import Embeddings, aligned, embed_pairs, load_embeddings

__all__ = [
    "Embeddings",
    "aligned",
    "embed_pairs",
    "encode_caption_sets",
    "encode_captions",
    "encode_pictures",
    "load_embeddings",
    "unit",
]
