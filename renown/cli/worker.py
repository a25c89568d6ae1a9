"""``renown worker``."""

from enum import Enum
from typing import Annotated, Final

import typer

EPILOG: Final = """\b
Examples:
  renown worker score
  RENOWN_METRICS_PORT=9102 renown worker sink
"""


class Job(str, Enum):
    """What a worker does."""

    SCORE = "score"
    SINK = "sink"


def worker(
    job: Annotated[
        Job, typer.Argument(help="score: interactions to scores. sink: results to ClickHouse.")
    ],
) -> None:
    """Run one worker until it is told to stop.

    Ctrl-C and SIGTERM do. Several share the work, at most as many of each as there are partitions.
    A worker that is started again goes on where it stopped.
    """
    from config.logging import configure_logging
    from config.settings import load_settings
    from renown.cli.connections import with_addresses

    settings = load_settings()
    configure_logging(settings, job=f"renown-{job.value}")
    if job is Job.SCORE:
        from streams.app import run

        run(with_addresses(settings, clickhouse=False))
    else:
        from streams.sink import run as run_sink

        run_sink(with_addresses(settings, clickhouse=True))
