"""The class of an interaction: what is known of its actor, as a step of weight."""

from schemas.model import Model


def classify(model: Model) -> int:
    """The class 0 to 6 of an interaction; so far every actor is ordinary.

    Standing, selectivity and freshness need a snapshot of the actor at the last UTC midnight, which
    the score side does not send yet; what a topic-partition says by itself is not enough.
    """
    return model.ordinary_class
