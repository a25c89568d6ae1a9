from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.texts import TextColumn
from streams.kernels.gather import gather

TEXTS = st.lists(st.none() | st.text(max_size=12), max_size=8)


@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(-1, 60))))
def test_gathered_texts_are_the_slices(raw: bytes, spans: list[tuple[int, int]]) -> None:
    spans = [(place, size) for place, size in spans if place + size <= len(raw)]
    places = np.array([place for place, _ in spans], np.int64)
    sizes = np.array([size for _, size in spans], np.int64)
    data, ends = gather(np.frombuffer(raw, np.uint8), places, sizes)
    wanted = [raw[place : place + max(size, 0)] for place, size in spans]
    assert bytes(data) == b"".join(wanted)
    assert [bytes(data[a:b]) for a, b in pairwise(ends)] == wanted
    assert ends.dtype == np.int32


@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(0, 3))
def test_joined_columns_hold_the_texts_of_all(lists: list[list[str | None]], cut: int) -> None:
    joined = TextColumn.joined([TextColumn.of(texts)[cut:] for texts in lists])
    wanted = [text for texts in lists for text in texts[cut:]]
    assert joined.tolist() == wanted
    assert [joined[place] for place in range(len(joined))] == wanted


def test_more_than_a_column_can_hold_is_refused_before_anything_is_copied() -> None:
    """Places beyond int32 would wrap, and what follows them be written anywhere."""
    data, places = np.zeros(8, np.uint8), np.zeros(3, np.int64)
    with pytest.raises(OverflowError, match="more than 2 GiB"):
        gather(data, places, np.array([(1 << 31) - 1, -1, 1], np.int64))
