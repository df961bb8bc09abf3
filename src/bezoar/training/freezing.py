"""Training one tower while the other stays as it is, to the last bit.

* The image tower is `visual`; the text tower is everything else that the model holds: embeddings, transformer, final
  norm and projection, whether they lie in `text` (CustomTextCLIP) or in the model itself (CLIP).
* The temperature (logit scale, and bias where there is one) belongs to neither: it trains always.
* A frozen tower asks for no gradients, so the optimiser never sees it and autograd does not walk it; it runs in
  evaluation mode, so its batch norms neither use nor update statistics of the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

IMAGE_TOWER = "visual"
TEMPERATURE = ("logit_scale", "logit_bias")


@contextmanager
def only(learn: str, module: nn.Module) -> Iterator[None]:
    """Within the block only the tower `learn` of the open_clip model `module` trains: "image", "text" or "both".

    At the end every parameter asks for gradients as it did before; the mode is left to the caller.
    """
    if learn == "both":
        yield
        return
    for child in frozen_towers(learn, module):
        child.eval()
    frozen = [
        parameter
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and _tower(name) not in (learn, None)
    ]
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)


def frozen_towers(learn: str, module: nn.Module) -> list[nn.Module]:
    """Return the parts of `module` that stay as they are where only the tower `learn` trains."""
    if learn == "both":
        return []
    return [child for name, child in module.named_children() if _tower(name) != learn]


def _tower(name: str) -> str | None:
    top = name.partition(".")[0]
    if top in TEMPERATURE:
        return None
    return "image" if top == IMAGE_TOWER else "text"
