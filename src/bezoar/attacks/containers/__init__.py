"""Pictures with other pixels in their own container: whatever a header tells stays what it was.

* `repaint` takes the bytes of a picture, the opened picture, and an RGB picture of the same size; it returns bytes
  whose headers, metadata, tables and order of parts are the source's. Only a lossless source gives a lossless copy.
* `refuses` says of a source what `repaint` cannot keep, None where it keeps all. Such a picture is not planted.
* What is told by neither: the length in bytes, and the traces of having been encoded twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from bezoar.attacks.containers import jpeg, png, webp


@dataclass(frozen=True)
class Container:
    """A row: what a container cannot keep of a source (None: nothing), and the source with other pixels."""

    refuses: Callable[[bytes], str | None]
    repaint: Callable[[bytes, Image.Image, Image.Image], bytes]


CONTAINERS: dict[str, Container] = {
    "JPEG": Container(jpeg.refuses, jpeg.repaint),
    "PNG": Container(png.refuses, png.repaint),
    "WEBP": Container(webp.refuses, webp.repaint),
}

__all__ = ["CONTAINERS", "Container"]
