"""``renown replay`` on the embedded broker."""

import gzip
from pathlib import Path

from renown.embedded.broker import EmbeddedBroker
from schemas.topics import Topic
from tests.support.command import assert_one_line, renown
from tests.support.stack import read_topic


def test_replay_publishes_and_counts(
    embedded_broker: EmbeddedBroker, likes: Path, tmp_path: Path
) -> None:
    result = renown("replay", likes.name, "--json", cwd=tmp_path, kafka=embedded_broker.address)
    assert result.code == 0, result
    report = result.json
    assert (report["read"], report["published"], report["finished"]) == (4, {"like": 3}, True)
    assert sum(report["rejected"].values()) == 1
    values = [record.value for record in read_topic(embedded_broker.address, Topic.LIKE.value)]
    assert sum(b'"like-1"' in value for value in values if value) >= 1


def test_replay_of_a_packed_file_until_a_time(
    embedded_broker: EmbeddedBroker, likes: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(likes.read_bytes()))
    result = renown(
        *("replay", packed.name, "--until", "2024-03-01T12:00:00Z"),
        cwd=tmp_path,
        kafka=embedded_broker.address,
    )
    assert result.code == 0, result
    assert result.out.startswith("4 lines read, 0 published (none)")
    assert "3 after the time given" in result.out
    assert result.err == ""


def test_a_file_of_another_format_is_wrong_use(
    embedded_broker: EmbeddedBroker, likes: Path, tmp_path: Path
) -> None:
    arguments = ("replay", likes.name, "--format", "snap")
    result = renown(*arguments, cwd=tmp_path, kafka=embedded_broker.address)
    assert_one_line(result, 2, likes.name, "does not look like snap")


def test_topics_with_other_partitions_are_wrong_use(
    embedded_broker: EmbeddedBroker, likes: Path, tmp_path: Path
) -> None:
    address = embedded_broker.address
    assert renown("replay", likes.name, cwd=tmp_path, kafka=address).code == 0
    result = renown("replay", likes.name, cwd=tmp_path, kafka=address, partitions="3")
    assert_one_line(result, 2, "RENOWN_PARTITIONS=4")
    found = renown("doctor", "--json", cwd=tmp_path, kafka=address, partitions="3")
    assert found.code == 2
    assert "RENOWN_PARTITIONS=4" in found.out
