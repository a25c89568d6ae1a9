"""What lies in the data folder of a stack; light enough for every command to import."""

from typing import Final

STACK_FILE: Final = "stack.json"
"""Addresses and process of the stack that runs on the folder."""

TARGETS_FILE: Final = "targets.json"
"""Where Prometheus finds the processes of that stack (file service discovery)."""

LOCK_FILE: Final = "lock"
"""Held by the stack that runs on the folder, or by the ClickHouse whose data it is."""

CHECKPOINTS_FOLDER: Final = "checkpoints"
"""Checkpoints of the score workers, where the broker is embedded."""

DATABASE_FOLDER: Final = "clickhouse"
"""Data of the embedded ClickHouse."""

DEMO_FOLDER: Final = "demo"
"""The demo keeps its files in a folder of its own inside the data folder."""
