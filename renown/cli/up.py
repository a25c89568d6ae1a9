"""``renown up``."""

import time
from enum import Enum
from typing import Annotated, Final

import typer

_LOOK_SECONDS: Final = 1.0

EPILOG: Final = """\b
Examples:
  renown up
  renown up --generate --rate 2000         a made-up world that never ends
  renown up --live bluesky                 the real one
  renown up --kafka-port 19092 --clickhouse-port 19000 --workers 2

\b
Prometheus finds all processes in targets.json in the data folder:
  prometheus --config.file deploy/prometheus/local.yml
"""


class Live(str, Enum):
    """Networks that can be listened to without a key."""

    BLUESKY = "bluesky"


def up(
    kafka_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the embedded broker; 0: any free one.")
    ] = 9092,
    clickhouse_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the embedded ClickHouse; 0: any free one.")
    ] = 9000,
    workers: Annotated[int, typer.Option(min=1, help="Score workers to start.")] = 1,
    generate: Annotated[
        bool, typer.Option("--generate", help="Also publish a made-up world, until the end.")
    ] = False,
    rate: Annotated[
        float, typer.Option(min=0.1, metavar="N", help="Events a second of the made-up world.")
    ] = 100.0,
    live: Annotated[
        list[Live] | None, typer.Option(help="Also listen to this network, until the end.")
    ] = None,
    broker_memory: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="MB",
            help="From here on the embedded broker is made to forget what everybody has read, for"
            " which all stands still for some seconds; 0: never.",
        ),
    ] = 384,
    monitor: Annotated[
        bool, typer.Option(help="Time a canary, and tell how far each group is behind.")
    ] = True,
) -> None:
    """Run broker, ClickHouse and workers on this machine until Ctrl-C.

    What is not set by RENOWN_KAFKA or RENOWN_CLICKHOUSE is embedded and listens on the loopback
    address only. The embedded ClickHouse keeps its data; the embedded broker does not: the next
    start rebuilds the state from ClickHouse.
    """
    from renown.cli.connections import start
    from renown.cli.output import remark
    from renown.cli.stopping import interrupt_on_sigterm
    from renown.run.feeds import generated, listening
    from renown.run.stack import Stack

    settings = start()
    agents = [listening(network.value) for network in live or []]
    if generate:
        agents.append(generated(rate))
    with (
        interrupt_on_sigterm(),
        Stack(
            settings,
            settings.data_dir,
            score_workers=workers,
            monitor=monitor,
            most_broker_bytes=broker_memory << 20,
            kafka_port=kafka_port,
            clickhouse_port=clickhouse_port,
            say=remark,
        ) as stack,
    ):
        for agent in agents:
            stack.start_agent(agent.name, agent.arguments)
            remark(f"agent       {agent.name}")
        remark(
            "Ready. Look with: renown top; "
            + ("" if agents else "publish with: renown replay FILE; ")
            + "Ctrl-C ends"
        )
        while True:
            stack.watch()
            time.sleep(_LOOK_SECONDS)
