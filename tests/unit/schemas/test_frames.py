"""Frames as they travel, those of the first version too."""

import msgspec
import pyarrow as pa
import pytest

from schemas.frames import ROW_SCHEMA, decode_frame
from tests.support.weighed import Row, frame, numbered


def with_columns(names: list[str]) -> bytes:
    """A frame of two rows that has only the columns ``names``."""
    whole = frame(numbered([Row(), Row(undo=True)]))
    schema = pa.schema(
        [ROW_SCHEMA.field(name) for name in names],
        metadata={b"renown": msgspec.json.encode(whole.header)},
    )
    batch = pa.record_batch(
        [pa.array(whole.columns[field.name], field.type) for field in schema], schema=schema
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def test_a_frame_of_the_first_version_has_zeros_in_the_columns_added_since() -> None:
    frame = decode_frame(with_columns(ROW_SCHEMA.names[:-2]))
    assert frame.columns["undo"].tolist() == [False, True]
    assert frame.columns["undone_at"].tolist() == [0, 0]
    assert frame.columns["whole_record"].tolist() == [False, False]


@pytest.mark.parametrize("names", [ROW_SCHEMA.names[1:], ROW_SCHEMA.names[::-1], []])
def test_other_columns_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="unknown columns"):
        decode_frame(with_columns(names))
