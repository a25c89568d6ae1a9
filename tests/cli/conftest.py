"""Servers and files that the tests of commands use."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fixtures import embedded_broker, embedded_clickhouse

__all__ = ["embedded_broker", "embedded_clickhouse"]

LIKE = (
    '{"id":"like-%d","kind":"like","network":"twitter","actor":"twitter:70%02d",'
    '"target":"twitter:7100","at":1709294400000,"received_at":1709294400000}\n'
)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is ours and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def file_in_the_way(tmp_path: Path) -> str:
    """A folder that cannot be made, whoever tries."""
    (tmp_path / "file").touch()
    return str(tmp_path / "file" / "data")


@pytest.fixture
def likes(tmp_path: Path) -> Path:
    """A file of three likes and a broken line."""
    path = tmp_path / "likes.jsonl"
    path.write_text("".join(LIKE % (n, n) for n in range(3)) + '{"kind":"like",\n')
    return path
