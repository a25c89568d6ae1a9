"""What ClickHouse is sent of a text array is what the driver would write of the strings."""

from typing import Any

import clickhouse_driver
import numpy as np
import numpy.typing as npt
import pytest
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.context import Context
from clickhouse_driver.streams import native
from hypothesis import given
from hypothesis import strategies as st

from schemas.texts import TextColumn
from streams.sinks.text_arrays import NameArray, TextArray, pass_through, plain

NAMES = ("", "like", "x" * 200, "é")
TEXTS = st.lists(
    st.none() | st.text(max_size=5) | st.sampled_from(["ü" * 70, "x" * 20_000]), max_size=9
)


class Socket:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += bytes(data)


def written(spec: str, column: npt.NDArray[Any]) -> bytes:
    """What the driver sends of a column."""
    context = Context()
    context.settings = {}
    context.client_settings = {
        "use_numpy": True,
        "strings_as_bytes": False,
        "strings_encoding": "utf-8",
        "input_format_null_as_default": False,
    }
    socket = Socket()
    buffer = BufferedSocketWriter(socket, 1 << 20)
    native.write_column(context, "column", spec, column, buffer)
    buffer.flush()
    return socket.sent


@given(TEXTS, TEXTS, st.integers(0, 3))
def test_texts(one: list[str | None], other: list[str | None], start: int) -> None:
    assert pass_through()
    columns = [TextColumn.of(one)[1:], TextColumn.of(other)]
    array = TextArray.of(TextColumn.joined(columns))[start:]
    wanted = [text or "" for text in [*one[1:], *other]][start:]
    assert array.tolist() == wanted
    assert plain(array).tolist() == wanted
    assert written("String", array) == written("String", plain(array))
    assert written("LowCardinality(String)", array) == written(
        "LowCardinality(String)", plain(array)
    )


@given(st.lists(st.integers(0, len(NAMES) - 1), max_size=300), st.integers(0, 3))
def test_names(places: list[int], start: int) -> None:
    assert pass_through()
    array = NameArray.of(np.array(places, np.int64), NAMES)[start:]
    assert array.tolist() == [NAMES[place] for place in places][start:]
    for spec in ("LowCardinality(String)", "String"):
        assert written(spec, array) == written(spec, plain(array))


def test_another_version_of_the_driver_gets_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse_driver, "__version__", "0.2.12")
    assert not pass_through()
    assert plain(TextArray.of(TextColumn.of(["é", None]))).tolist() == ["é", ""]
    numbers = np.arange(3)
    assert plain(numbers) is numbers
