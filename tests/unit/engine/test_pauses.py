"""How long the transport waits between two fetches."""

from types import SimpleNamespace
from typing import Any

import pytest

from streams.engine.transport import pause_after


def answer(*sizes: int | None) -> Any:
    """A broker's answer with so many bytes in each partition; None: no bytes at all."""
    parts = [(0, 0, 9, None if size is None else bytes(size)) for size in sizes]
    return SimpleNamespace(topics=[("a", parts[:1]), ("b", parts[1:])])


@pytest.mark.parametrize(
    ("sizes", "seconds"),
    [((), 0.03), ((None, 0), 0.03), ((100_000, 150_000), 0.05), ((8_000_000,), 0.1)],
)
def test_it_grows_with_the_answer_up_to_a_limit(
    sizes: tuple[int | None, ...], seconds: float
) -> None:
    assert pause_after(answer(*sizes), 0.03) == pytest.approx(seconds)
