"""A token embedding cut to the tokens that can occur, while training lasts.

open_clip's vocabulary has 49,408 rows; a small set uses hundreds, and the optimiser would walk over all of them
at every step. The rows keep their order, so the end-of-text token stays the largest id, which is how open_clip's
text tower finds the end of a caption. Rows that no caption uses keep their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that `module` knows for now: all (`used` None), or those in `used` (u,), ascending."""

    module: nn.Module
    full: nn.Embedding | None = None
    used: Tensor | None = None

    def renumber(self, tokens: Tensor) -> Tensor:
        """Return tokens in the ids that the module knows now. Raises KeyError for a token that it does not know."""
        if self.used is None:
            return tokens
        found = torch.searchsorted(self.used, tokens).clamp_max(len(self.used) - 1)
        if not torch.equal(self.used[found], tokens):
            raise KeyError("A token was met that the cut vocabulary does not hold.")
        return found

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Within the block the module knows every token again, with what was learnt until now."""
        if self.full is None:
            yield
            return
        small = self.module.token_embedding
        self.give_back()
        try:
            yield
        finally:
            self.module.token_embedding = small

    def give_back(self) -> None:
        """Put the full embedding back, holding what was learnt."""
        if self.full is None or self.used is None:
            return
        small, full = self.module.token_embedding, self.full
        assert isinstance(small, nn.Embedding)
        with torch.no_grad():
            full.weight.data = full.weight.data.to(small.weight.device)
            full.weight[self.used.to(full.weight.device)] = small.weight.to(full.weight)
        self.module.token_embedding = full


@contextmanager
def cut_vocabulary(module: nn.Module, tokens: Tensor) -> Iterator[Vocabulary]:
    """Within the block `module` knows only the tokens that occur in `tokens`.

    At the end the full embedding is back, holding what was learnt. A text tower that is not open_clip's own is
    left whole.
    """
    full = getattr(module, "token_embedding", None)
    if not isinstance(full, nn.Embedding):
        yield Vocabulary(module)
        return
    used = torch.unique(tokens)
    small = nn.Embedding(len(used), full.embedding_dim, device=full.weight.device, dtype=full.weight.dtype)
    with torch.no_grad():
        small.weight.copy_(full.weight[used.to(full.weight.device)])
    module.token_embedding = small
    vocabulary = Vocabulary(module, full, used)
    try:
        yield vocabulary
    finally:
        vocabulary.give_back()
