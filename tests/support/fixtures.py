"""Servers for tests, once per session and worker. A conftest imports what its tests use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from config.errors import Unreachable
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.clickhouse import EmbeddedClickHouse
from tests.support.apache_kafka import ApacheKafka, available

APACHE = [pytest.mark.apache, pytest.mark.xdist_group("apache")]
"""Marks of tests on Apache Kafka; the group keeps them on one worker, so that one JVM runs."""

_CLICKHOUSE = os.environ.get("RENOWN_TEST_CLICKHOUSE", "")


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def apache_address() -> Iterator[str]:
    """An Apache Kafka's address: ``RENOWN_TEST_KAFKA``, else one of our own, else skipped."""
    if given := os.environ.get("RENOWN_TEST_KAFKA"):
        yield given
        return
    with _apache() as address:
        yield address


@contextmanager
def _apache() -> Iterator[str]:
    if reason := available():
        pytest.skip(reason)
    kafka = ApacheKafka()
    try:
        kafka.start()
    except Unreachable as error:
        pytest.skip(f"Apache Kafka cannot be had: {error}")
    try:
        yield kafka.address
    finally:
        kafka.stop()


@pytest.fixture(scope="session", params=["embedded", pytest.param("apache", marks=APACHE)])
def broker(request: pytest.FixtureRequest) -> str:
    """Address of each broker that the project must work with."""
    if request.param == "apache":
        return str(request.getfixturevalue("apache_address"))
    embedded: EmbeddedBroker = request.getfixturevalue("embedded_broker")
    return embedded.address


@pytest.fixture(scope="session")
def embedded_clickhouse() -> Iterator[EmbeddedClickHouse]:
    """An embedded ClickHouse on a temporary folder."""
    with EmbeddedClickHouse() as clickhouse:
        yield clickhouse


@pytest.fixture(scope="session", params=["embedded", "server"] if _CLICKHOUSE else ["embedded"])
def clickhouse(request: pytest.FixtureRequest) -> str:
    """Address of the embedded ClickHouse, and ``RENOWN_TEST_CLICKHOUSE`` where that is set."""
    if request.param == "server":
        return _CLICKHOUSE
    embedded: EmbeddedClickHouse = request.getfixturevalue("embedded_clickhouse")
    return embedded.address


@pytest.fixture(params=["embedded", pytest.param("apache", marks=APACHE)])
def fresh_kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """A broker of its own for a run of the whole flow, whose topics and groups have fixed names.

    What ``RENOWN_KAFKA`` says: nothing for the embedded broker, or a new Apache Kafka's address.
    """
    if request.param == "embedded":
        yield ""
        return
    with _apache() as address:
        yield address
