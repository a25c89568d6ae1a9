"""``renown bench``."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from config.errors import Unreachable

EPILOG: Final = """\b
Examples:
  renown bench all            # everything, about 30 minutes; goes on where it was stopped
  renown bench throughput     # --events 1000000 --only renown kafka-streams raw
  renown bench latency        # --rate 1000 --seconds 30
  renown bench growth         # --accounts 10000 100000
  renown bench table          # table and plot again from the results

\b
Benchmarks: throughput, stages, latency, growth, skew, sink, publish; all and table. What stands
behind # are options of that benchmark; renown bench NAME --help lists them.
"""
_ROOT: Final = Path(__file__).parents[2]


def bench(
    name: Annotated[str, typer.Argument(help="Which benchmark.")],
    options: Annotated[list[str] | None, typer.Argument(help="Its options.")] = None,
) -> None:
    """Measure Renown on this machine, alone and against others.

    Each benchmark prints its progress and one JSON object, and keeps the result in bench/results.
    Apache Kafka (Java, Maven) and what the peers need are fetched once and kept under .data/bench,
    as is the load. It needs a checkout of the source.
    """
    if not (_ROOT / "bench" / "__main__.py").is_file():
        raise Unreachable("benchmarks lie in the source tree: clone it, and make setup there")
    done = subprocess.run(
        [sys.executable, "-m", "bench", name, *(options or [])], cwd=_ROOT, check=False
    )
    if done.returncode:
        raise typer.Exit(done.returncode)
