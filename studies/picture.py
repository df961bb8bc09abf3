"""The picture of the README: the upper part of the demo's page, as Chromium draws it.

python -m studies.picture runs/generated/demo-100/demo.html
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

TARGET = Path("docs/pictures/demo.png")
WIDTH, HEIGHT = 1040, 1480
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --blink-settings=preferredColorScheme=1"
)


def main(page: str) -> None:
    """Draw the page and keep its upper part, in few enough colours for a small file."""
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "page.png"
        command = ["chromium", *FLAGS.split(), f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{HEIGHT}"]
        subprocess.run(
            [*command, f"--screenshot={shot}", Path(page).resolve().as_uri()], check=True, capture_output=True
        )
        picture = Image.open(shot).convert("RGB")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(64, dither=Image.Dither.NONE).save(TARGET, optimize=True)
    print(TARGET, TARGET.stat().st_size // 1024, "kB")


if __name__ == "__main__":
    main(sys.argv[1])
