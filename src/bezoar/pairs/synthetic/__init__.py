"""Generated pairs: a small world of things in places, with captions. The default of the demo and of the tests.

* A pair depends on seed, split and number alone: never on how many are drawn, in which order or at which size.
* Twelve objects are the classes; colour, size, texture and scene vary and are named only now and then, so that a
  caption says more than the class and less than the picture.
"""

from bezoar.pairs.synthetic.captions import PROMPTS
from bezoar.pairs.synthetic.shapes import OBJECTS
from bezoar.pairs.synthetic.world import Thing, describe, paint, synthesize

__all__ = ["OBJECTS", "PROMPTS", "Thing", "describe", "paint", "synthesize"]
