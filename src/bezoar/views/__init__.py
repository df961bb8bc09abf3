"""Other looks at a pair: the detector's fixed ones (geometry), and training's random ones (pictures, captions).

* A view is a pure function: no state, and all chance comes in as numbers or a generator.
* Detection: a planted pair stops fitting its caption under `VIEWS`; views that cost genuine pairs their fit
  (upside down, half turn, exchanged colours) are not among them.
* Training: `PICTURE_VIEWS` and `CAPTION_VIEWS` keep what a pair is about and may be as strong as their papers.
"""

from bezoar.views.captions import CAPTION_VIEWS, CaptionView
from bezoar.views.geometry import VIEWS, View
from bezoar.views.pictures import PICTURE_VIEWS, PictureView, draws
from bezoar.views.synonyms import Synonyms, open_synonyms

__all__ = [
    "CAPTION_VIEWS",
    "PICTURE_VIEWS",
    "VIEWS",
    "CaptionView",
    "PictureView",
    "Synonyms",
    "View",
    "draws",
    "open_synonyms",
]
