"""Towers: the protocol that bezoar asks of a model, and open_clip as the home of models."""

from bezoar.models.clip import Clip
from bezoar.models.towers import Towers, architectures, create, load, place, save, state_of

__all__ = ["Clip", "Towers", "architectures", "create", "load", "place", "save", "state_of"]
