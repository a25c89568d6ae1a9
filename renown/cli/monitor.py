"""``renown monitor``."""

from typing import Annotated, Final

import typer

EPILOG: Final = """\b
Examples:
  renown monitor
  RENOWN_METRICS_PORT=9104 renown monitor --every 10
"""


def monitor(
    every: Annotated[
        float, typer.Option(min=1.0, metavar="SECONDS", help="From one canary to the next.")
    ] = 5.0,
) -> None:
    """Watch a running Renown from outside until Ctrl-C.

    Times a canary, an interaction of its own, from the publisher to ClickHouse, and tells how far
    each group is behind and whether broker and ClickHouse answer. Prometheus reads the result at
    RENOWN_METRICS_PORT. A canary is taken back as soon as it has arrived: no score keeps it.
    """
    from agents.stopping import stop_on_signals
    from config.logging import configure_logging
    from config.settings import load_settings
    from renown.cli.connections import with_addresses
    from renown.cli.output import remark
    from renown.monitor.run import Monitor

    settings = load_settings()
    configure_logging(settings)
    watch = Monitor(with_addresses(settings, clickhouse=True), canary_seconds=every)
    if not settings.metrics_port:
        remark("Set RENOWN_METRICS_PORT, or nobody can read what is found")
    with stop_on_signals(watch.stop):
        watch.run()
