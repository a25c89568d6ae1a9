"""What the project needs of ClickHouse through clickhouse-driver: embedded and server keep it."""

import datetime as dt
import threading
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from config.settings import ClickHouseAddress

ALL_TYPES = """
    at DateTime64(3, 'UTC'), day Date, second DateTime('UTC'),
    kind Enum8('like' = 1, 'retweet' = 2), network LowCardinality(String), actor String,
    object Nullable(String), weight Int32, hash UInt64, share Float64, bits Array(UInt8),
    tags Array(LowCardinality(String)), names Map(String, UInt32), flag Bool
"""
ROW = (
    dt.datetime(2012, 7, 4, 18, 0, 0, 123000, tzinfo=dt.UTC),
    dt.date(2012, 7, 4),
    dt.datetime(2012, 7, 4, 18, 0, 0, tzinfo=dt.UTC),
    "retweet",
    "twitter",
    "twitter:88 'é\\",
    None,
    -5,
    2**64 - 1,
    0.25,
    [1, 2, 255],
    ["a", "b", "a"],
    {"x": 1, "y": 2},
    True,
)


def connect(url: str, database: str, **options: object) -> Client:
    """A client of its own connection."""
    parts = ClickHouseAddress.parse(url)
    return Client(
        parts.host, parts.port, database, parts.user, parts.password, secure=parts.secure, **options
    )


@pytest.fixture
def database(clickhouse: str) -> Iterator[str]:
    """A fresh database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with connect(clickhouse, "default") as client:
        client.execute(f"CREATE DATABASE {name}")
        yield name
        client.execute(f"DROP DATABASE {name}")


@pytest.fixture
def client(clickhouse: str, database: str) -> Iterator[Client]:
    """A client in a fresh database."""
    with connect(clickhouse, database) as client:
        yield client


@pytest.mark.parametrize("columnar", [False, True])
def test_every_type_survives_insert_and_select(client: Client, columnar: bool) -> None:
    client.execute(f"CREATE TABLE t ({ALL_TYPES}) ENGINE = MergeTree ORDER BY at")
    rows = [ROW] * 3
    data = [list(column) for column in zip(*rows, strict=True)] if columnar else rows
    assert client.execute("INSERT INTO t VALUES", data, columnar=columnar) == 3
    found, columns = client.execute("SELECT * FROM t", with_column_types=True)
    assert found == rows
    assert dict(columns)["at"] == "DateTime64(3, 'UTC')"
    assert dict(columns)["second"] == "DateTime('UTC')"
    assert dict(columns)["network"] == "LowCardinality(String)"


def test_columns_of_numpy_go_in_and_come_out(clickhouse: str, database: str) -> None:
    count = 70_000
    at = np.datetime64("2012-07-01T00:00:00.000") + np.arange(count).astype("timedelta64[ms]")
    names = np.array([f"twitter:{n % 977}" for n in range(count)], dtype=object)
    columns = [at, names, np.arange(count, dtype=np.uint64) * 3, np.arange(count, dtype=np.int32)]
    with connect(clickhouse, database, settings={"use_numpy": True}) as client:
        client.execute(
            "CREATE TABLE t (at DateTime64(3, 'UTC'), actor LowCardinality(String), hash UInt64,"
            " weight Int32) ENGINE = MergeTree ORDER BY hash"
        )
        sql = "INSERT INTO t (at, actor, hash, weight) VALUES"
        assert client.execute(sql, columns, columnar=True) == count
        found = client.execute("SELECT at, actor, hash, weight FROM t ORDER BY hash", columnar=True)
    assert (found[1] == names).all()
    assert (found[2] == columns[2]).all()
    assert (found[3] == columns[3]).all()
    assert str(found[0][-1]).startswith("2012-07-01T00:01:09.999")


def test_an_empty_result_has_its_columns(client: Client) -> None:
    rows, columns = client.execute(
        "SELECT number, toString(number) AS text FROM numbers(5) WHERE number > 9",
        with_column_types=True,
    )
    assert (rows, columns) == ([], [("number", "UInt64"), ("text", "String")])


def test_parameters_and_comments(client: Client) -> None:
    values = {"text": "it's \\ 'quoted'\n", "day": dt.date(2012, 7, 4), "many": [1, 2, 3]}
    sql = "-- why\nSELECT %(text)s, toDate(%(day)s), 2 IN %(many)s /* all */;"
    assert client.execute(sql, values | {"many": (1, 2, 3)}) == [(values["text"], values["day"], 1)]


def test_large_results_stream(client: Client) -> None:
    rows = client.execute_iter("SELECT number, toString(number) FROM numbers(300000)")
    assert sum(number for number, _ in rows) == 300_000 * 299_999 // 2


def test_a_stream_can_be_cancelled_and_the_connection_goes_on(client: Client) -> None:
    next(client.execute_iter("SELECT number FROM numbers(100000000000)"))
    client.cancel()
    assert client.execute("SELECT 1") == [(1,)]


def test_a_client_that_hangs_up_ends_its_query(clickhouse: str, client: Client) -> None:
    marker = f"marker_{uuid.uuid4().hex}"
    other = connect(clickhouse, "default")
    next(other.execute_iter(f"SELECT number AS {marker} FROM numbers(100000000000)"))
    other.disconnect()
    running = f"SELECT count() FROM system.processes WHERE query LIKE '%{marker}%'"
    for _ in range(100):
        if client.execute(running + " AND query NOT LIKE '%system.processes%'") == [(0,)]:
            return
        threading.Event().wait(0.1)
    raise AssertionError("the query runs on")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM nowhere", ErrorCodes.UNKNOWN_TABLE),
        ("SELEC 1", ErrorCodes.SYNTAX_ERROR),
        ("SELECT throwIf(number = 150000) FROM numbers(200000)", 395),
        ("DROP TABLE nowhere", ErrorCodes.UNKNOWN_TABLE),
    ],
)
def test_an_error_has_its_code_and_the_connection_goes_on(
    client: Client, sql: str, code: int
) -> None:
    with pytest.raises(ServerException) as raised:
        client.execute(sql)
    assert raised.value.code == code
    assert client.execute("SELECT 1") == [(1,)]


def test_a_failed_insert_stores_nothing_and_the_connection_goes_on(client: Client) -> None:
    client.execute(
        "CREATE TABLE t (a UInt8, CONSTRAINT small CHECK a < 10) ENGINE = MergeTree ORDER BY a"
    )
    client.execute("CREATE TABLE u (a UInt8) ENGINE = MergeTree ORDER BY a")
    client.execute(
        "CREATE MATERIALIZED VIEW v ENGINE = MergeTree ORDER BY b AS"
        " SELECT throwIf(a > 9) AS b FROM u"
    )
    for table, code in [("t", 469), ("u", 395)]:
        with pytest.raises(ServerException) as raised:
            client.execute(f"INSERT INTO {table} VALUES", [(1,), (77,)])
        assert raised.value.code == code
    with pytest.raises(ServerException):
        client.execute("INSERT INTO t (nothing) VALUES", [(1,)])
    with pytest.raises(ServerException):
        client.execute("INSERT INTO nowhere VALUES", [(1,)])
    assert client.execute("SELECT count() FROM t") == [(0,)]
    client.execute("INSERT INTO t VALUES", [(1,)])
    assert client.execute("SELECT a FROM t") == [(1,)]


def test_settings_hold_for_their_query_only(client: Client) -> None:
    asked = "SELECT getSetting('max_result_rows')"
    assert client.execute(asked, settings={"max_result_rows": 77}) == [(77,)]
    assert client.execute(asked) == [(0,)]
    with pytest.raises(ServerException) as raised:
        client.execute(
            "SELECT sleepEachRow(0.2) FROM numbers(50) SETTINGS max_block_size = 1",
            settings={"max_execution_time": 1},
        )
    assert raised.value.code == ErrorCodes.TIMEOUT_EXCEEDED


def test_definitions_mutations_and_final(client: Client) -> None:
    table = "t (id UInt32, version UInt32) ENGINE = ReplacingMergeTree(version) ORDER BY id"
    for _ in range(2):
        client.execute(f"CREATE TABLE IF NOT EXISTS {table}")
    client.execute("INSERT INTO t VALUES", [(n, 1) for n in range(100)])
    client.execute("INSERT INTO t VALUES", [(n, 2) for n in range(50)])
    client.execute("CREATE VIEW newest AS SELECT * FROM t FINAL")
    assert client.execute("SELECT count(), sum(version) FROM newest") == [(100, 150)]
    client.execute("ALTER TABLE t DELETE WHERE id >= 90", settings={"mutations_sync": 2})
    client.execute("DELETE FROM t WHERE id < 10")
    assert client.execute("SELECT count(), min(id), max(id) FROM newest") == [(80, 10, 89)]
    client.execute("INSERT INTO t SELECT id + 1000, 1 FROM newest")
    assert client.execute("SELECT count() FROM t FINAL") == [(160,)]
    assert ("newest",) in client.execute("SHOW TABLES")


def test_rows_beyond_one_block_and_default_columns(client: Client) -> None:
    client.execute(
        "CREATE TABLE t (a UInt32, b UInt32 DEFAULT a + 1, c UInt32 MATERIALIZED a + 2)"
        " ENGINE = MergeTree ORDER BY a"
    )
    rows = [(n,) for n in range(250_000)]
    options = {"insert_block_size": 60_000}
    assert client.execute("INSERT INTO t (a) VALUES", rows, settings=options) == 250_000
    assert client.execute("SELECT count(), sum(b - a), sum(c - a) FROM t") == [
        (250_000, 250_000, 500_000)
    ]


def test_connections_do_not_disturb_each_other(clickhouse: str, client: Client) -> None:
    client.execute("CREATE TABLE t (who UInt8, n UInt32) ENGINE = MergeTree ORDER BY (who, n)")
    database = client.execute("SELECT currentDatabase()")[0][0]
    failures: list[Exception] = []

    def work(who: int) -> None:
        try:
            with connect(clickhouse, database) as own:
                for n in range(10):
                    own.execute("INSERT INTO t VALUES", [(who, n)])
                    mine = own.execute("SELECT count() FROM t WHERE who = %(who)s", {"who": who})
                    assert mine == [(n + 1,)]
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert client.execute("SELECT count() FROM t") == [(80,)]


def test_compressed_connections(clickhouse: str, database: str) -> None:
    for module in ("lz4", "clickhouse_cityhash"):
        pytest.importorskip(module, reason="compression needs clickhouse-driver[lz4]")
    with connect(clickhouse, database, compression="lz4") as client:
        client.execute("CREATE TABLE t (n UInt64, text String) ENGINE = MergeTree ORDER BY n")
        rows = [(n, "text " * (n % 50)) for n in range(30_000)]
        client.execute("INSERT INTO t VALUES", rows)
        assert client.execute("SELECT * FROM t ORDER BY n") == rows
