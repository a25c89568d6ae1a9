"""The columns that the sink writes, with their ClickHouse and numpy types."""

from typing import Any, Final

import numpy as np

HORIZON_NAMES: Final = ("6h", "24h", "7d", "30d", "90d")
"""The five horizons of a score, as the columns spell them."""

_LOW: Final = "LowCardinality(String)"
_MOMENT: Final = "DateTime64(3, 'UTC')"

INTERACTIONS: Final = "interactions_rows"
SCORES: Final = "scores"
DEAD_LETTERS: Final = "dead_letters"
PROGRESS: Final = "sink_progress"

TABLES: Final[dict[str, dict[str, str]]] = {
    INTERACTIONS: {
        "log": "UInt64",
        "at": _MOMENT,
        "hour": "UInt32",
        "received_at": _MOMENT,
        "kind": _LOW,
        "network": _LOW,
        "actor": "String",
        "target": "String",
        "object": "String",
        "class": "UInt8",
        "weight": "Int64",
        "amount": "UInt32",
        "undo": "Bool",
        "engager": "UInt64",
        "id": "UInt64",
        "record": "UInt64",
        "undone_at": _MOMENT,
        "whole_record": "Bool",
        "model": "UInt16",
        "source_topic": _LOW,
        "source_partition": "UInt32",
        "source_offset": "Int64",
        "part": "UInt16",
        "weighed_partition": "UInt32",
        "weighed_offset": "Int64",
    },
    SCORES: {
        "log": "UInt64",
        "profile": "String",
        "epoch": "Int64",
        "sequence": "Int64",
        "clock": _MOMENT,
        "score": "UInt32",
        "change": "Int32",
        "cause": _LOW,
        "bits": "Int64",
        "momentum": "UInt8",
        "influence": "Int64",
        **{f"weight_{h}": "Int64" for h in HORIZON_NAMES},
        **{f"interactions_{h}": "Int64" for h in HORIZON_NAMES},
        **{f"engagers_{h}": "Int64" for h in HORIZON_NAMES},
        "level": "UInt8",
        "model": "UInt16",
        "weighed_partition": "UInt32",
        "weighed_offset": "Int64",
        "topic_partition": "UInt32",
        "topic_offset": "Int64",
    },
    DEAD_LETTERS: {
        "log": "UInt64",
        "reason": _LOW,
        "detail": "String",
        "source_topic": _LOW,
        "source_partition": "UInt32",
        "source_offset": "Int64",
        "at": _MOMENT,
        "key": "String",
        "value": "String",
        "size": "UInt64",
        "headers": "Array(Tuple(String, String))",
        "letter_partition": "Int32",
        "letter_offset": "Int64",
    },
    PROGRESS: {
        "log": "UInt64",
        "topic": _LOW,
        "partition": "UInt32",
        "claim": "UInt64",
        "next_offset": "Int64",
        "holes": "UInt64",
        "source_topics": f"Array({_LOW})",
        "source_partitions": "Array(UInt32)",
        "applied": "Array(Int64)",
        "clocks": "Array(Int64)",
        "totals": f"Array(Map({_LOW}, UInt64))",
    },
}

_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "Bool": np.dtype(np.bool_),
    _MOMENT: np.dtype(np.int64),
    "String": np.dtype(object),
    _LOW: np.dtype(object),
    **{
        name: np.dtype(name.lower())
        for name in ("UInt8", "UInt16", "UInt32", "UInt64", "Int32", "Int64")
    },
}


def dtype_of(table: str, column: str) -> np.dtype[Any]:
    """The numpy type in which a column is inserted; moments are milliseconds since 1970."""
    return _DTYPES[TABLES[table][column]]
