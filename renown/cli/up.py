"""``renown up``."""

import time
from typing import Annotated, Final

import typer

_LOOK_SECONDS: Final = 1.0

EPILOG: Final = """\b
Examples:
  renown up
  renown up --kafka-port 19092 --clickhouse-port 19000 --workers 2
"""


def up(
    kafka_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the embedded broker; 0: any free one.")
    ] = 9092,
    clickhouse_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the embedded ClickHouse; 0: any free one.")
    ] = 9000,
    workers: Annotated[int, typer.Option(min=1, help="Score workers to start.")] = 1,
) -> None:
    """Run broker, ClickHouse and workers on this machine until Ctrl-C.

    What is not set by RENOWN_KAFKA or RENOWN_CLICKHOUSE is embedded and listens on the loopback
    address only. The embedded ClickHouse keeps its data; the embedded broker does not, so scoring
    starts anew with each start.
    """
    from renown.cli.connections import start
    from renown.cli.output import remark
    from renown.cli.stopping import interrupt_on_sigterm
    from renown.run.stack import Stack

    settings = start()
    with (
        interrupt_on_sigterm(),
        Stack(
            settings,
            settings.data_dir,
            score_workers=workers,
            kafka_port=kafka_port,
            clickhouse_port=clickhouse_port,
            say=remark,
        ) as stack,
    ):
        remark(
            "Ready. Publish with: renown replay FILE; look with: renown show ACCOUNT; Ctrl-C ends"
        )
        while True:
            stack.watch()
            time.sleep(_LOOK_SECONDS)
