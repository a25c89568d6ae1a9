"""The whole flow on each broker."""

from tests.support.fixtures import fresh_kafka

__all__ = ["fresh_kafka"]
