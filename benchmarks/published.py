"""The published detectors as their authors' code computes them, restated: an oracle and a peer, not for use.

After Huang et al., ICLR 2025, arXiv 2502.01385 (HanxunH/Detect-CLIP-Backdoor-Samples), for one modality:

* The reference is the batch itself. A query's row of distances has itself cut out; the rows of the reference
  keep their zero.
* Column k (counted from 0) is read in both: the (k+1)-th true neighbour of a query, the k-th of a reference.
* The sorted columns of the cut row index the uncut reference: a neighbour that lies after the query is read
  as the sample before it.
* LID is damped: −k / Σ ln(d/d_k + 0.0001) over the first k columns, for references with the zero among them.
* DAO is the mean of LID·ln(ratio); NaN and +∞ become 1,000, −∞ becomes 0.
* Distances are differences, not products, and rows are sorted whole. The gather of whole rows, of which the
  original reads one number, is left out: the peer is a little quicker than the original.
"""

from __future__ import annotations

import torch

DAMPING = 1e-4


def k_distance(batch: torch.Tensor, k: int) -> torch.Tensor:
    """Return the published k-distance (n,) of a batch (n, d), n > k + 1."""
    distances, _ = torch.sort(_without_self(batch), dim=1)
    return distances[:, k]


def lid(batch: torch.Tensor, k: int) -> torch.Tensor:
    """Return the published LID by maximum likelihood, (n,)."""
    distances, _ = torch.sort(_without_self(batch), dim=1)
    return _damped_lid(distances, k)


def slof(batch: torch.Tensor, k: int) -> torch.Tensor:
    """Return the published SLOF, (n,)."""
    distances, order = torch.sort(_without_self(batch), dim=1)
    own, _ = torch.sort(_all_distances(batch), dim=1)
    ratios = distances[:, k, None] / own[:, k][order[:, :k]]
    return _finite(ratios.mean(dim=1))


def dao(batch: torch.Tensor, k: int) -> torch.Tensor:
    """Return the published DAO, (n,)."""
    distances, order = torch.sort(_without_self(batch), dim=1)
    own, _ = torch.sort(_all_distances(batch), dim=1)
    shifted = order[:, :k]
    ratios = distances[:, k, None] / own[:, k][shifted]
    return _finite((_damped_lid(own, k)[shifted] * ratios.log()).mean(dim=1))


def _all_distances(batch: torch.Tensor) -> torch.Tensor:
    return torch.cdist(batch, batch, compute_mode="donot_use_mm_for_euclid_dist")


def _without_self(batch: torch.Tensor) -> torch.Tensor:
    others = ~torch.eye(len(batch), dtype=torch.bool, device=batch.device)
    return _all_distances(batch)[others].view(len(batch), -1)


def _damped_lid(sorted_distances: torch.Tensor, k: int) -> torch.Tensor:
    ratios = sorted_distances[:, :k] / sorted_distances[:, k, None]
    return -k / torch.log(ratios + DAMPING).sum(dim=1)


def _finite(scores: torch.Tensor) -> torch.Tensor:
    return torch.nan_to_num(scores, nan=1000.0, posinf=1000.0, neginf=0.0)
