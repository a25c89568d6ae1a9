"""``python -m bench NAME``: run one benchmark, or all of them, and write its result.

The result goes to ``--results`` (default ``bench/results``) and to standard output as JSON;
progress to standard error. ``renown bench`` is the same for people who sit in a checkout.
"""

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any, Final

from bench import latency, throughput
from bench.common import RESULTS
from bench.load import Load
from config.errors import ExitCode, RenownError


def _throughput(options: argparse.Namespace) -> dict[str, Any]:
    load = Load(events=options.events, accounts=options.accounts)
    return throughput.run(load, options.only, options.longest, options.results, again=options.again)


def _latency(options: argparse.Namespace) -> dict[str, Any]:
    return latency.run(options.rate, options.seconds, options.results, sink=not options.no_sink)


_RUNS: Final = {"throughput": _throughput, "latency": _latency}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="renown bench", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    names = parser.add_subparsers(dest="name", required=True)
    part = names.add_parser("throughput", help="the full job against peers that merely count")
    part.add_argument("--events", type=int, default=4_000_000)
    part.add_argument("--accounts", type=int, default=300_000)
    part.add_argument("--longest", type=float, default=60.0, help="seconds for each at most")
    part.add_argument("--only", nargs="+", choices=throughput.NAMES, default=throughput.NAMES)
    part.add_argument("--again", action="store_true", help="forget what was measured before")
    part = names.add_parser("latency", help="from produce to score and to ClickHouse")
    part.add_argument("--rate", type=int, nargs="+", default=[1_000], help="events a second")
    part.add_argument("--seconds", type=float, default=30.0, help="for how long it counts")
    part.add_argument("--no-sink", action="store_true", help="without sink and ClickHouse")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit code."""
    options = _parser().parse_args(arguments)
    # What was started ends with its block, so a SIGTERM must leave the blocks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        result = _RUNS[options.name](options)
    except RenownError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    print(json.dumps(result, indent=1))
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
