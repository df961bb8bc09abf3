"""Image-text pairs: opening, indexing, reading, and writing the sets they come from."""

from bezoar.pairs.copying import Addition, Copied, copy_kept, rewrite
from bezoar.pairs.edit import Edit, EditPlan
from bezoar.pairs.opening import open_pairs
from bezoar.pairs.pair import Pair
from bezoar.pairs.pairs import Pairs
from bezoar.pairs.prompts import read_prompts
from bezoar.pairs.reasons import UnreadablePair
from bezoar.pairs.write import write_webdataset

__all__ = [
    "Addition",
    "Copied",
    "Edit",
    "EditPlan",
    "Pair",
    "Pairs",
    "UnreadablePair",
    "copy_kept",
    "open_pairs",
    "read_prompts",
    "rewrite",
    "write_webdataset",
]
