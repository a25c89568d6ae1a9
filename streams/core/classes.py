"""The class of an interaction: what is known of its actor, as a step of weight."""

from schemas.model import Model


def classify(model: Model) -> int:
    """The class 0 to 6 of an interaction where all actors count as ordinary.

    Otherwise, ``Model.by_actor``, ``streams.core.actors`` knows them.
    """
    return model.ordinary_class
