"""What a state gives comes back as it was, arrays included."""

import cramjam
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from streams.engine.changelog import FORMAT_VERSION, WHOLE_ONLY_VERSION, ChangelogError
from streams.engine.snapshots import Snapshot, pack, unpack

_KINDS = (
    arrays.integer_dtypes(endianness="<")
    | arrays.unsigned_integer_dtypes(endianness="<")
    | arrays.boolean_dtypes()
)


@given(arrays.arrays(_KINDS, arrays.array_shapes(min_dims=1, min_side=0, max_side=5)))
def test_an_array_comes_back(array: np.ndarray) -> None:
    [[found]] = unpack(pack({"a": [array]}, {}, 1), FORMAT_VERSION).state.values()
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes()
    assert found.flags.writeable
    assert found.flags.aligned


def test_views_and_numpy_scalars_are_taken_too() -> None:
    grid = np.arange(12, dtype=np.int32).reshape(3, 4)
    state = {"column": grid[:, 1], "turned": grid.T, "last": np.int64(7), "empty": grid[:0, 0]}
    found = unpack(pack(state, {"topic": 3}, 4), FORMAT_VERSION)
    assert (found.positions, found.partitions) == ({"topic": 3}, 4)
    assert found.state["column"].tolist() == [1, 5, 9]
    assert found.state["turned"].tolist() == grid.T.tolist()
    assert found.state["last"] == 7
    assert found.state["empty"].shape == (0,)


def test_what_no_snapshot_can_hold_is_told() -> None:
    with pytest.raises(TypeError, match="cannot hold ndarray"):
        pack({"a": np.array(["text"])}, {}, 1)


def test_a_checkpoint_of_version_1_is_the_state_alone() -> None:
    body = bytes(cramjam.zstd.compress(msgspec.msgpack.encode({"number": 7}), 1))
    assert unpack(body, WHOLE_ONLY_VERSION) == Snapshot({"number": 7})


@pytest.mark.parametrize("plain", [b"\xc1", b"\x01", msgspec.msgpack.encode({"state": {}})])
def test_what_cannot_be_read_is_told(plain: bytes) -> None:
    for body in (plain, bytes(cramjam.zstd.compress(plain, 1))):
        with pytest.raises(ChangelogError, match="cannot be read"):
            unpack(body, FORMAT_VERSION)
