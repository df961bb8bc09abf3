"""Banks: past vectors of one modality, looked through for the nearest neighbour (NNCLR, arXiv 2104.14548).

* First in, first out. A bank starts empty: random vectors to start with would have the first batches match noise.
* What is stored is a detached copy; no gradient flows through a bank.
* An entry of the query's own pair is never returned: from the second epoch on it would be the nearest of all.
* Whoever trains reads before writing, and keeps `state()` in the checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bezoar.run import BezoarError


class Bank:
    """The last `size` unit vectors of `width` numbers that were pushed, each with the pair that owns it."""

    def __init__(self, size: int, width: int, *, device: str | torch.device = "cpu") -> None:
        if size < 1:
            raise BezoarError(f"A bank of {size} vectors holds nothing.", "Use at least one, better several batches.")
        self.size = size
        self._vectors = torch.zeros(size, width, device=device)
        self._owners = torch.zeros(size, dtype=torch.int64, device=device)
        self._length = 0
        self._next = 0

    def __len__(self) -> int:
        return self._length

    @property
    def full(self) -> bool:
        """Whether the next push drives an entry out."""
        return self._length == self.size

    @property
    def vectors(self) -> Tensor:
        """The entries, float32 (len, width); rows are places, not ages."""
        return self._vectors[: self._length]

    @property
    def owners(self) -> Tensor:
        """The pair of each entry, int64 (len,)."""
        return self._owners[: self._length]

    @torch.no_grad()
    def nearest(self, queries: Tensor, owners: Tensor) -> tuple[Tensor, Tensor]:
        """Return, for each query, the entry of highest cosine among other pairs', and its row in `vectors`.

        `queries` (B, width), unit; `owners` int64 (B,). Returns float32 (B, width), detached, and int64 (B,).
        Raises BezoarError where the bank holds nothing but a query's own pair.
        """
        own = self.owners == owners.to(self._owners)[:, None]
        if bool(own.all(dim=1).any()):
            raise BezoarError("The bank holds no other pair to match with.", "Match only once it is filled.")
        cosines = queries.detach().float() @ self.vectors.T
        rows = cosines.masked_fill(own, -torch.inf).argmax(dim=1)
        return self.vectors[rows], rows

    @torch.no_grad()
    def push(self, vectors: Tensor, owners: Tensor) -> None:
        """Take in copies of `vectors` (B, width) of the pairs `owners` int64 (B,); the oldest entries leave.

        Of more than `size` the last `size` are kept.
        """
        kept = vectors[-self.size :]
        places = (self._next + torch.arange(len(kept), device=self._owners.device)) % self.size
        self._vectors[places] = kept.to(self._vectors)
        self._owners[places] = owners[-self.size :].to(self._owners)
        self._next = (self._next + len(kept)) % self.size
        self._length = min(self._length + len(kept), self.size)

    def state(self) -> dict[str, Tensor]:
        """Return copies of all that the bank is, for a checkpoint."""
        counters = torch.tensor([self._length, self._next])
        return {"vectors": self._vectors.cpu().clone(), "owners": self._owners.cpu().clone(), "counters": counters}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Become the bank that `state` was taken of; BezoarError for one of another size or width."""
        if state["vectors"].shape != self._vectors.shape:
            theirs, ours = (" × ".join(map(str, table.shape)) for table in (state["vectors"], self._vectors))
            raise BezoarError(f"The stored bank is one of {theirs}, not of {ours}.", "Start this training anew.")
        self._vectors.copy_(state["vectors"])
        self._owners.copy_(state["owners"])
        self._length, self._next = (int(count) for count in state["counters"])
