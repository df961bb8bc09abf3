"""Other looks at a picture that keep its content: a planted pair stops fitting its caption under them.

* A view is a pure function of the picture: no randomness, no state.
* Views that cost genuine pairs their fit (upside down, half turn, exchanged colours) are not here.
"""

from bezoar.views.geometry import VIEWS, View

__all__ = ["VIEWS", "View"]
