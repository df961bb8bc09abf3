"""bezoar finds planted image-text pairs in CLIP training sets, and gives the set back without them."""

__version__ = "0.1.0"
