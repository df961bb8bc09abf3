"""What everybody may use: errors, keyed randomness, atomic files, the cache, run folders, progress."""

from bezoar.run.answer import Answer
from bezoar.run.cache import cache_folder
from bezoar.run.errors import BROKEN_DATA, WRONG_REQUEST, BezoarError, nearest
from bezoar.run.files import fingerprint, stamp, write_bytes, write_json, writing
from bezoar.run.folder import Run
from bezoar.run.machine import cores, pick_device, use_cores
from bezoar.run.printable import printable
from bezoar.run.progress import Progress, Silent
from bezoar.run.randomness import random
from bezoar.run.work import duration

__all__ = [
    "BROKEN_DATA",
    "WRONG_REQUEST",
    "Answer",
    "BezoarError",
    "Progress",
    "Run",
    "Silent",
    "cache_folder",
    "cores",
    "duration",
    "fingerprint",
    "nearest",
    "pick_device",
    "printable",
    "random",
    "stamp",
    "use_cores",
    "write_bytes",
    "write_json",
    "writing",
]
