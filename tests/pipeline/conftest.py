"""A broker of its own for each run of the whole flow, since topics and groups have fixed names."""

from collections.abc import Iterator

import pytest

from config.errors import Unreachable
from tests.support.apache_kafka import ApacheKafka, available
from tests.support.fixtures import APACHE


@pytest.fixture(params=["embedded", pytest.param("apache", marks=APACHE)])
def kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """What ``RENOWN_KAFKA`` says: nothing for the embedded broker, or a fresh Apache Kafka."""
    if request.param == "embedded":
        yield ""
        return
    if reason := available():
        pytest.skip(reason)
    server = ApacheKafka()
    try:
        server.start()
    except Unreachable as error:
        pytest.skip(f"Apache Kafka cannot be had: {error}")
    try:
        yield server.address
    finally:
        server.stop()
