"""Records that cannot be used end in the dead letters, with where and why, and the flow goes on."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaProducer

from config.broker import kafka_python_options
from config.settings import ClickHouseAddress
from renown.queries import score_of
from renown.run.stack import Stack
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.partitioner import partition_of
from schemas.topics import LARGEST_RECORD, Topic
from streams.sinks.client import Database
from tests.support import flow
from tests.support.stack import wait_until

pytestmark = pytest.mark.timeout(400)

NOW = int(time.time() * 1000)
ACTOR, TARGET = "twitter:reader", "twitter:writer"
HOME = partition_of(ACTOR, 4)


def interaction(identity: str, **changes: Any) -> bytes:
    fields = {
        "id": identity,
        "kind": "like",
        "network": "twitter",
        "actor": ACTOR,
        "target": TARGET,
        "at": NOW,
        "received_at": NOW,
    }
    return json.dumps({**fields, **changes}).encode()


BAD: dict[str, tuple[int, bytes]] = {
    "bad json": (HOME, b'{"id": "x", "kind": '),
    "unknown kind": (HOME, interaction("kind", kind="poke")),
    "wrong type": (HOME, interaction("type", at="yesterday")),
    "absurd time": (HOME, interaction("time", at=1_336_000_000_000_000 // 10_000)),
    "too large": (HOME, interaction("large", object="x" * (2 << 20))),
    "wrong partition": ((HOME + 1) % 4, interaction("partition")),
    "no target": (HOME, interaction("target", target=None)),
}
NOISE = bytes(range(128, 256)) * 3


def test_every_kind_of_bad_record_is_found_with_its_place(tmp_path: Path, fresh_kafka: str) -> None:
    settings = flow.settings_for(tmp_path, fresh_kafka)
    with Stack(settings, tmp_path / "demo", fresh=True, say=flow.say) as stack:
        producer = KafkaProducer(
            **kafka_python_options(stack.settings),
            acks="all",
            max_request_size=LARGEST_RECORD,
        )
        sent = {}
        for reason, (partition, value) in BAD.items():
            sent[reason] = producer.send(
                Topic.LIKE.value, value, key=ACTOR.encode(), partition=partition
            ).get(10)
        noise = producer.send(Topic.LIKE.value, NOISE, partition=HOME).get(10)
        producer.send(
            Topic.LIKE.value, interaction("good"), key=ACTOR.encode(), partition=HOME
        ).get(10)
        producer.close()

        url = stack.settings.clickhouse.get_secret_value()
        with Database(ClickHouseAddress.parse(url)) as db:
            wait_until(
                lambda: db.query("SELECT count() FROM dead_letters FINAL")[0][0] == len(BAD) + 1,
                60,
                "dead letters in ClickHouse",
            )
            wait_until(lambda: score_of(db, TARGET) is not None, 60, "the good record's score")
            found = score_of(db, TARGET)
        assert found is not None
        assert found.interactions[0] == 1
        listed = subprocess.run(
            [sys.executable, "-m", "renown", "dead-letters", "list", "--json"],
            env={**os.environ, "RENOWN_DATA_DIR": str(tmp_path), "RENOWN_KAFKA": fresh_kafka},
            capture_output=True,
            text=True,
            check=True,
        )
    letters = [json.loads(line) for line in listed.stdout.splitlines()]
    places = {(x["topic"], x["partition"], x["offset"]): x["reason"] for x in letters}
    for reason, record in sent.items():
        assert places[(record.topic, record.partition, record.offset)] == reason
    assert places[(noise.topic, noise.partition, noise.offset)] == "bad json"
    large = next(x for x in letters if x["reason"] == "too large")
    assert large["size"] > 2 << 20
    assert len(large["value"]) < 1 << 20, "of a large body only the beginning is kept"


def test_the_good_record_is_one_that_the_contract_allows() -> None:
    decoded = msgspec.json.decode(interaction("good"), type=Interaction)
    assert decoded.kind is Kind.LIKE
