"""What training itself gives away: planted pairs are learned first.

* Looked at early, after a fifth of the training, as the paper isolates pairs after 20 of 100 epochs.
* One number a pair, computed in evaluation mode over the whole set: it depends on the pair and the weights alone, not
  on which process or which batch the pair fell into.
"""

from __future__ import annotations

from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence, Look


def abl(evidence: Evidence, _: Look) -> Scores:
    """Return cos(picture, own caption) early in training, (n,): fitted early, a small early loss, is suspicious.

    Anti-Backdoor Learning, Li et al., NeurIPS 2021, arXiv 2110.11571: the 1 % of the lowest loss is isolated. Huang
    et al., ICLR 2025, take minus the mean contrastive loss of epochs 0 to 9 of 32. Of that loss only the pair's own
    part is taken, its cosine: the other part says who shared its batch. The ascent of the loss around a floor, which
    keeps clean pairs from being learned, is left out: the model is the one that all other detectors look with.
    """
    assert evidence.early is not None
    return evidence.early.astype(float)
