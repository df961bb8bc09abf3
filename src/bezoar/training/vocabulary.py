"""A token embedding cut to the tokens that occur, while training lasts.

open_clip's vocabulary has 49,408 rows; a small set uses hundreds, and the optimiser would walk over all of them
at every step. The rows keep their order, so the end-of-text token stays the largest id, which is how open_clip's
text tower finds the end of a caption. Rows that no caption uses keep their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def cut_vocabulary(module: nn.Module, tokens: Tensor) -> Iterator[Tensor]:
    """Within the block `module` knows only the tokens that occur in `tokens`; yields `tokens` in its new ids.

    At the end the full embedding is back, holding what was learnt. A text tower that is not open_clip's own is
    left whole.
    """
    full = getattr(module, "token_embedding", None)
    if not isinstance(full, nn.Embedding):
        yield tokens
        return
    used = torch.unique(tokens)
    small = nn.Embedding(len(used), full.embedding_dim, device=full.weight.device, dtype=full.weight.dtype)
    with torch.no_grad():
        small.weight.copy_(full.weight[used.to(full.weight.device)])
    module.token_embedding = small
    try:
        yield torch.searchsorted(used, tokens)
    finally:
        with torch.no_grad():
            full.weight[used.to(full.weight.device)] = small.weight.to(full.weight)
        module.token_embedding = full
