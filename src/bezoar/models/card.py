"""The model card: what a model was made from and how, in plain Markdown beside its weights.

* It says what was measured and what was not; nothing in it is a path of the machine that made it.
* Names and captions come from untrusted sets: what a fact says is escaped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import torch

from bezoar.models.towers import Towers
from bezoar.run import printable, write_bytes

CARD_FILE = "README.md"
_MARKS = re.compile(r"([\\`*\[\]<>#|])")


def card(folder: Path, title: str, facts: Sequence[tuple[str, str]], notes: Sequence[str]) -> None:
    """Write README.md into the folder of a model: a title, a table of facts (name, text), and notes as a list."""
    lines = [f"# {_plain(title)}", "", "| | |", "|---|---|"]
    lines += [f"| {_plain(name)} | {_plain(text)} |" for name, text in facts]
    lines += ["", *(f"* {_plain(note)}" for note in notes)] if notes else []
    write_bytes(folder / CARD_FILE, ("\n".join(lines) + "\n").encode())


def digest_of(towers: Towers) -> str:
    """Return a digest of the names and values of all weights, the same wherever the file lies."""
    digest = hashlib.blake2b(digest_size=12)
    for name, tensor in sorted(towers.module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", printable(text))
