"""Where bezoar keeps what it can make again: `BEZOAR_CACHE`, or bezoar's folder in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(*names: str) -> Path:
    """Return (and make) a folder of the cache."""
    root = os.environ.get("BEZOAR_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = (Path(root) if root else Path(home) / "bezoar").joinpath(*names)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
