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

from bench import everything, growth, latency, publishing, sink, skew, stages, table, throughput
from bench.common import RESULTS
from bench.load import Load
from config.errors import ExitCode, RenownError


def _throughput(options: argparse.Namespace) -> dict[str, Any]:
    load = Load(events=options.events, accounts=options.accounts)
    return throughput.run(load, options.only, options.longest, options.results, again=options.again)


def _latency(options: argparse.Namespace) -> dict[str, Any]:
    return latency.run(options.rate, options.seconds, options.results, sink=not options.no_sink)


def _growth(options: argparse.Namespace) -> dict[str, Any]:
    process = 0 if options.no_process else options.process_accounts
    return growth.run(options.accounts, process, options.events, options.results)


def _skew(options: argparse.Namespace) -> dict[str, Any]:
    events, accounts = options.events, options.accounts
    return skew.run(events, accounts, options.shares, options.longest, options.results)


def _sink(options: argparse.Namespace) -> dict[str, Any]:
    return sink.run(options.events, options.accounts, options.longest, options.results)


def _publish(options: argparse.Namespace) -> dict[str, Any]:
    return publishing.run(options.events, options.accounts, options.results)


def _stages(options: argparse.Namespace) -> dict[str, Any]:
    return stages.run(options.events, options.accounts, options.batch, options.results)


def _all(options: argparse.Namespace) -> dict[str, Any]:
    return everything.run(options.results, again=options.again)


def _table(options: argparse.Namespace) -> dict[str, Any]:
    return {"table": str(table.write(options.results))}


_RUNS: Final = {
    "all": _all,
    "table": _table,
    "throughput": _throughput,
    "stages": _stages,
    "latency": _latency,
    "growth": _growth,
    "skew": _skew,
    "sink": _sink,
    "publish": _publish,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="renown bench", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    names = parser.add_subparsers(dest="name", required=True)
    part = names.add_parser("all", help="everything, about 30 minutes; goes on where it stopped")
    part.add_argument("--again", action="store_true", help="forget what was measured before")
    names.add_parser("table", help="table and plot again from the results")
    part = names.add_parser("throughput", help="the full job against peers that merely count")
    _sized(part, events=4_000_000, longest=60.0)
    part.add_argument("--only", nargs="+", choices=throughput.NAMES, default=throughput.NAMES)
    part.add_argument("--again", action="store_true", help="forget what was measured before")
    part = names.add_parser("stages", help="processor time of an event, stage by stage")
    _sized(part, events=2_000_000)
    part.add_argument("--batch", type=int, default=8_000, help="records of a fetch")
    part = names.add_parser("latency", help="from produce to score and to ClickHouse")
    part.add_argument("--rate", type=int, nargs="+", default=[1_000], help="events a second")
    part.add_argument("--seconds", type=float, default=30.0, help="for how long it counts")
    part.add_argument("--no-sink", action="store_true", help="without sink and ClickHouse")
    part = names.add_parser("growth", help="more and more accounts; a worker killed with many")
    part.add_argument("--accounts", type=int, nargs="*", default=[10**4, 10**5, 10**6, 10**7])
    part.add_argument("--process-accounts", type=int, default=1_000_000, help="of the worker")
    part.add_argument("--events", type=int, default=4_000_000, help="that the worker has read")
    part.add_argument("--no-process", action="store_true", help="only states by themselves")
    part = names.add_parser("skew", help="many events with the same target")
    _sized(part, events=1_500_000, longest=120.0)
    part.add_argument("--shares", type=float, nargs="+", default=skew.SHARES)
    part = names.add_parser("sink", help="rows from the topics to ClickHouse")
    _sized(part, events=1_000_000, longest=120.0)
    part = names.add_parser("publish", help="how fast agents publish")
    _sized(part, events=300_000)
    return parser


def _sized(part: argparse.ArgumentParser, events: int, longest: float | None = None) -> None:
    """Options of a load, and of how long somebody may take for it."""
    part.add_argument("--events", type=int, default=events)
    part.add_argument("--accounts", type=int, default=300_000)
    if longest is not None:
        part.add_argument("--longest", type=float, default=longest, help="seconds at most")


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
