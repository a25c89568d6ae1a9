"""What is not there, wrong or taken: one line that says so and what to do, and the exit code."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from renown.embedded.broker import EmbeddedBroker
from tests.support.command import assert_last_line, assert_one_line, renown

COMMANDS = [
    ("demo",),
    ("up", "--kafka-port", "0", "--clickhouse-port", "0"),
    ("replay", "likes.jsonl"),
    ("worker", "score"),
    ("worker", "sink"),
    ("migrate",),
    ("show", "twitter:7100"),
    ("query", "SELECT 1"),
    ("audit",),
    ("dead-letters", "list"),
    ("dead-letters", "replay", "--yes"),
    ("top", "--once"),
    ("doctor",),
]
NEED_KAFKA = [c for c in COMMANDS if c[0] in ("demo", "up", "replay", "worker", "migrate", "top")]
NEED_CLICKHOUSE = [
    c
    for c in COMMANDS
    if c[0] in ("migrate", "show", "query", "audit")
    or c in (("dead-letters", "list"), ("worker", "sink"))
]
NEED_FOLDER = [c for c in COMMANDS if c[0] in ("demo", "up", "replay") or c == ("worker", "score")]
SECRET = "s3cret"


def names(command: tuple[str, ...]) -> str:
    return " ".join(command[:2])


@pytest.fixture
def reset_port() -> Iterator[int]:
    """A port on which something listens that is neither Kafka nor ClickHouse."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1)

        threading.Thread(target=hang_up, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("command", NEED_KAFKA, ids=names)
def test_kafka_is_unreachable(
    command: tuple[str, ...], closed_port: int, likes: Path, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{closed_port}"
    url = f"clickhouse://127.0.0.1:{closed_port}"
    result = renown(*command, cwd=tmp_path, kafka=address, clickhouse=url)
    # demo and up tell what they start
    check = assert_last_line if command[0] in ("demo", "up") else assert_one_line
    check(result, 3, "cannot reach Kafka", address, "RENOWN_KAFKA")


@pytest.mark.parametrize("command", NEED_CLICKHOUSE, ids=names)
def test_clickhouse_is_unreachable(
    command: tuple[str, ...], closed_port: int, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    kafka = {"kafka": embedded_broker.address} if command[0] == "worker" else {}
    url = f"clickhouse://me:{SECRET}@127.0.0.1:{closed_port}/scores"
    result = renown(*command, cwd=tmp_path, clickhouse=url, **kafka)
    place = f"127.0.0.1:{closed_port}/scores"
    assert_one_line(result, 3, "cannot reach ClickHouse", place, "RENOWN_CLICKHOUSE")
    assert SECRET not in result.err


@pytest.mark.parametrize("command", [("replay", "likes.jsonl"), ("migrate",)], ids=names)
def test_something_else_listens_where_kafka_should(
    command: tuple[str, ...], reset_port: int, likes: Path, tmp_path: Path
) -> None:
    result = renown(*command, cwd=tmp_path, kafka=f"127.0.0.1:{reset_port}")
    assert_one_line(result, 3, f"127.0.0.1:{reset_port}", "does not answer", "RENOWN_KAFKA")


@pytest.mark.parametrize("command", [("audit",), ("query", "SELECT 1")], ids=names)
def test_something_else_listens_where_clickhouse_should(
    command: tuple[str, ...], reset_port: int, tmp_path: Path
) -> None:
    result = renown(*command, cwd=tmp_path, clickhouse=f"clickhouse://127.0.0.1:{reset_port}")
    assert_one_line(result, 3, f"127.0.0.1:{reset_port}", "RENOWN_CLICKHOUSE")


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c[0] not in ("demo", "up", "doctor")], ids=names
)
def test_nothing_runs_and_nothing_is_set(
    command: tuple[str, ...], likes: Path, tmp_path: Path
) -> None:
    assert_one_line(renown(*command, cwd=tmp_path), 3, "is running", "renown up", "RENOWN_")


@pytest.mark.parametrize("command", COMMANDS, ids=names)
def test_wrong_setting(command: tuple[str, ...], likes: Path, tmp_path: Path) -> None:
    result = renown(*command, cwd=tmp_path, partitions="many")
    assert_one_line(result, 2, "RENOWN_PARTITIONS must be a valid integer", ".env")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA", "localhost"),
        ("KAFKA", "localhost:0,other:9092"),
        ("KAFKA_SECURITY", "TLS"),
        ("KAFKA_CA_FILE", "no-such-file.pem"),
        ("CLICKHOUSE", f"http://me:{SECRET}@localhost"),
        ("CLICKHOUSE", f"clickhouse://me:{SECRET}/x@localhost"),
        ("CLICKHOUSE", f"clickhouse://me:{SECRET}@[::1"),
        ("PARTITIONS", "0"),
        ("EMIT_SECONDS", "-1"),
        ("ONCE", "perhaps"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_every_wrong_setting_is_named_and_no_secret_shown(
    name: str, value: str, tmp_path: Path
) -> None:
    result = renown("query", "SELECT 1", cwd=tmp_path, **{name: value})
    assert_one_line(result, 2, f"RENOWN_{name} must be")
    assert SECRET not in result.err


def test_broken_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# settings\nRENOWN_KAFKA localhost:9092\n")
    assert_one_line(renown("audit", cwd=tmp_path), 2, "line 2 of .env")
    (tmp_path / ".env").write_bytes(b"RENOWN_KAFKA=\xff\n")
    assert_one_line(renown("audit", cwd=tmp_path), 2, ".env", "UTF-8")


@pytest.mark.parametrize("command", NEED_FOLDER, ids=names)
def test_data_folder_cannot_be_written(
    command: tuple[str, ...],
    file_in_the_way: str,
    embedded_broker: EmbeddedBroker,
    likes: Path,
    tmp_path: Path,
) -> None:
    settings = {"kafka": embedded_broker.address} if command[0] in ("replay", "worker") else {}
    result = renown(*command, cwd=tmp_path, data_dir=file_in_the_way, **settings)
    assert_one_line(result, 3, file_in_the_way, "RENOWN_DATA_DIR")


@pytest.mark.parametrize("option", ["--kafka-port", "--clickhouse-port"])
def test_port_is_taken(option: str, tmp_path: Path) -> None:
    ports = {"--kafka-port": "0", "--clickhouse-port": "0"}
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports[option] = str(server.getsockname()[1])
        result = renown("up", *(part for pair in ports.items() for part in pair), cwd=tmp_path)
    assert_last_line(result, 3, ports[option], option)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("doctr",), ("doctor", "renown --help")),
        (("replay",), ("renown replay --help",)),
        (("replay", "nothing.jsonl"), ("nothing.jsonl", "no such file")),
        (("replay", "likes.data"), ("likes.data", "--format snap")),
        (("replay", "."), ("folder",)),
        (("replay", "likes.jsonl", "--until", "1990-01-01"), ("2004",)),
        (("demo", "--replay", "likes.jsonl", "--format", "snap"), ("snap",)),
        (("replay", "likes.jsonl", "--until", "soon"), ("'soon'", "2012-07-05")),
        (("replay", "likes.jsonl", "--speed", "fast"), ("'fast'", "x60")),
        (("replay", "likes.jsonl", "--repeat", "0"), ("--repeat",)),
        (("demo", "--replay", "nothing.txt"), ("nothing.txt",)),
        (("demo", "--until", "soon"), ("'soon'",)),
        (("worker", "count"), ("'score', 'sink'",)),
        (("show", "7100"), ("'7100'", "twitter:14138")),
        (("show",), ("renown show --help",)),
        (("query", "  ;"), ("empty", "SELECT")),
        (("query", "SELECT 1", "--json", "--csv"), ("--json", "--csv")),
        (("audit", "--at", "yesterday"), ("'yesterday'",)),
        (("dead-letters",), ("renown dead-letters --help",)),
        (("dead-letters", "list", "--limit", "0"), ("--limit",)),
        (("dead-letters", "list", "--topic", "likes"), ("'likes'", "interactions.like")),
        (("dead-letters", "list", "--since", "lately"), ("'lately'",)),
        (("dead-letters", "replay"), ("--yes", "--dry-run")),
        (("dead-letters", "replay", "--json"), ("--yes", "--dry-run")),
        (("top", "--interval", "0"), ("--interval",)),
        (("top", "--svg", "x.svg"), ("--once",)),
        (("completion", "tcsh"), ("'bash', 'zsh', 'fish'",)),
        (("show", "twitter:7100", "--days", "0"), ("--days",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use(
    arguments: tuple[str, ...], parts: tuple[str, ...], likes: Path, tmp_path: Path
) -> None:
    (tmp_path / "likes.data").write_bytes(likes.read_bytes())
    assert_one_line(renown(*arguments, cwd=tmp_path), 2, *parts)


def test_no_command_shows_the_help_and_is_wrong_use(tmp_path: Path) -> None:
    result = renown(cwd=tmp_path)
    assert result.code == 2
    assert "renown demo" in result.out
