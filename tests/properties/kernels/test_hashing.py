import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.hashing import hash64
from schemas.partitioner import partition_of
from streams.kernels.hashing import hash64_at, partition_at

TEXTS = st.text(max_size=20) | st.text(st.characters(codec="ascii"), min_size=20, max_size=120)


@given(TEXTS, st.integers(0, 9))
def test_a_text_in_a_buffer_has_the_hash_of_the_text(text: str, before: int) -> None:
    raw = text.encode()
    data = np.frombuffer(bytes(before) + raw, np.uint8)
    assert hash64_at(data, before, len(raw)) == hash64(text)


@given(TEXTS, st.integers(0, 9), st.integers(1, 100))
def test_a_text_in_a_buffer_lies_in_the_partition_of_the_text(
    text: str, before: int, partitions: int
) -> None:
    raw = text.encode()
    data = np.frombuffer(bytes(before) + raw, np.uint8)
    found = partition_at(data, before, len(raw), np.uint64(partitions))
    assert found == partition_of(text, partitions)
