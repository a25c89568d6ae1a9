"""Every edge is tested against the embedded server and against the real one."""

from tests.support.fixtures import (
    apache_address,
    broker,
    clickhouse,
    embedded_broker,
    embedded_clickhouse,
)

__all__ = ["apache_address", "broker", "clickhouse", "embedded_broker", "embedded_clickhouse"]
