"""Why a pair cannot be used: one short phrase each, the same in every reading format."""

from __future__ import annotations

from typing import Final

NO_CAPTION: Final = "no caption"
NO_IMAGE: Final = "no image"
CUT_OFF: Final = "cut off: the shard ends in the middle"
DAMAGED: Final = "damaged: the shard cannot be read to its end"
DUPLICATE: Final = "duplicate key"
UNSAFE_NAME: Final = "unsafe name: it points out of its folder"
IRREGULAR: Final = "a link or device instead of a file"
NOT_UTF8: Final = "caption is not UTF-8"
NOT_JSON: Final = "caption file is not JSON with captions, caption or text"
TOO_LONG: Final = "caption file is larger than 1 MB"
BAD_LABEL: Final = "label is not a class number"
NO_CLASS_NAME: Final = "label has no name in classes.json"
CHANGED: Final = "changed since the set was indexed"
NOT_A_PICTURE: Final = "not a picture that can be read"
DAMAGED_PICTURE: Final = "picture is damaged"
TOO_LARGE: Final = "picture has more than 100 megapixels"


class UnreadablePair(Exception):
    """A pair that cannot be used; the message is a short phrase."""
