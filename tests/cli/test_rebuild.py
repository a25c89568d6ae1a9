"""``renown rebuild`` as a person runs it."""

from pathlib import Path

import pytest

from config.settings import ClickHouseAddress
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.clickhouse import EmbeddedClickHouse
from schemas.topics import Topic
from streams.sinks.client import Database
from streams.sinks.migrate import migrate
from streams.sinks.writer import Writer
from tests.support.command import assert_last_line, assert_one_line, renown
from tests.support.sink import LOG, scored, store
from tests.support.weighed import Row, frame, numbered


@pytest.mark.slow
def test_state_for_a_new_broker(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker, EmbeddedClickHouse() as server:
        where = {"kafka": broker.address, "clickhouse": server.address, "partitions": "2"}
        address = ClickHouseAddress.parse(server.address)
        result = renown("rebuild", "--yes", cwd=tmp_path, **where)
        assert_last_line(result, 1, "lacks 0001_tables.sql", "run renown migrate")
        with Database(address) as db:
            migrate(db)
        result = renown("rebuild", "--yes", cwd=tmp_path, **where)
        assert_last_line(result, 2, "holds no interactions: there is nothing to rebuild")

        frames = [frame(numbered(Row(actor=f"twitter:a{i}") for i in range(9)))]
        writer = Writer(address, LOG)
        writer.open()
        store(writer, Topic.WEIGHED, frames)
        store(writer, Topic.SCORES, scored(frames))
        writer.close()
        result = renown("rebuild", cwd=tmp_path, **where)
        assert_one_line(result, 2, "nobody can be asked", "--yes")
        result = renown("rebuild", "--yes", "--json", cwd=tmp_path, **where)
        assert result.code == 0, result
        assert {name: result.json[name] for name in ("continues", "partitions", "accounts")} == {
            "continues": LOG,
            "partitions": 2,
            "accounts": 1,
        }
        assert (result.json["ids"], result.json["unmatched"]) == (9, 0)
        result = renown("rebuild", "--yes", cwd=tmp_path, **where)
        assert "Rebuilt: 1 accounts and 9 interactions" in result.out, result
        assert "start the workers" in result.out

        result = renown("rebuild", "--yes", cwd=tmp_path, **(where | {"partitions": "3"}))
        assert_last_line(result, 2, "has 2 partitions, RENOWN_PARTITIONS says 3", "renown rebuild")
        result = renown("audit", "--json", cwd=tmp_path, **where)
        assert (result.json["checked"], result.json["different"]) == (1, 0)
    assert_one_line(renown("rebuild", "--yes", cwd=tmp_path), 3, "no broker is running")
