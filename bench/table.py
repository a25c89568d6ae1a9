"""One readable table and a plot from the results as they are kept."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bench.common import read_result
from bench.peers.catalogue import PEERS
from bench.throughput import RENOWN

_LABELS: Final = {RENOWN: "**Renown, the full job**", **{p.name: p.label for p in PEERS}}
_STAGES: Final = ("weigh", "decode", "frame encode", "frame decode", "score", "emit", "checkpoint")

Result = dict[str, Any]


def write(folder: Path) -> Path:
    """Write ``README.md`` and ``throughput.png`` beside the results; the path of the table."""
    lines = ["# What Renown does on one machine", ""]
    for name, part in _PARTS.items():
        if result := read_result(name, folder):
            lines += [*part(result), ""]
    path = folder / "README.md"
    path.write_text("\n".join(lines).rstrip() + "\n")
    if result := read_result("throughput", folder):
        _plot(result, folder / "throughput.png")
    return path


def _throughput(result: Result) -> Iterator[str]:
    yield f"## Throughput ({result['date']}, {result['machine']}; broker on the same machine)"
    yield ""
    yield (
        "The same topics for all, in one run. Peers re-key by target and count per account in "
        "windows of an hour; Renown does everything. Slow ones were stopped after a while, and "
        "their rate counts."
    )
    yield ""
    yield "| | events/s | Renown's is | µs CPU an event | cores | memory MB |"
    yield "|---|---|---|---|---|---|"
    for key, figures in _by_rate(result["runs"]):
        if "failed" in figures:
            yield f"| {_label(key)} | failed | | | | |"
            continue
        ratio = result.get("ratios", {}).get(key)
        yield (
            f"| {_label(key)} | {figures['events_per_second']:,} | "
            f"{f'{ratio:g} times' if ratio else ''} | {figures['cpu_us_per_event']:g} | "
            f"{figures['cores']:g} | {figures['peak_mb']:,} |"
        )
    yield ""
    yield "![events a second](throughput.png)"
    ours = result["runs"].get(RENOWN, {})
    if "changelog_bytes_per_event" in ours:
        yield ""
        yield (
            f"Renown wrote {ours['changelog_bytes_per_event']:g} bytes of changelog an event and "
            f"{ours['scores_emitted']:,} score updates of {ours['accounts']:,} accounts."
        )


def _stages(result: Result) -> Iterator[str]:
    yield f"## CPU by stage ({result['date']}): µs an event, batches of {result['batch']:,}"
    yield ""
    yield "| stage | µs |"
    yield "|---|---|"
    found = result["cpu_us_per_event"]
    for stage in _STAGES:
        if stage in found:
            label = f"… {stage}, which is part of it" if stage == "decode" else stage
            yield f"| {label} | {found[stage]:g} |"


def _latency(result: Result) -> Iterator[str]:
    yield f"## Latency ({result['date']}): seconds from when an event was due"
    yield ""
    yield (
        "| events/s | → `scores` p50 | p99 | p99.9 | quiet accounts p50 | p99 | p99.9 "
        "| → ClickHouse p50 | p99 | p99.9 |"
    )
    yield "|" + "---|" * 10
    for rate, figures in sorted(result["runs"].items(), key=lambda item: int(item[0])):
        cells = [
            f"{figures.get(part, {}).get(share, '')}"
            for part in ("to_scores", "to_scores_quiet", "to_row")
            for share in ("p50", "p99", "p999")
        ]
        yield f"| {int(rate):,} | {' | '.join(cells)} |"
    yield ""
    yield "Quiet: nothing for a second before. A busy account is published every 0.25 s."


def _growth(result: Result) -> Iterator[str]:
    yield f"## Growth ({result['date']}): one state of the score side"
    yield ""
    yield (
        "| accounts | engagers each | rows/s | new rows/s | bytes an account | "
        "checkpoint bytes a row | longest checkpoint s | restore s |"
    )
    yield "|" + "---|" * 8
    for size, f in sorted(result["core"].items(), key=lambda item: int(item[0])):
        yield (
            f"| {int(size):,} | {f['engagers']} | {f['rows_per_second']:,} | "
            f"{f['new_rows_per_second']:,} | {f['bytes_per_account']:,} | "
            f"{f['snapshot_bytes_per_row']:g} | {f['snapshot_seconds_max']:g} | "
            f"{f['restore_seconds']:g} |"
        )
    if process := result.get("process"):
        recovery = process["recovery_seconds"]
        yield ""
        yield (
            f"A worker with {process['accounts']:,} accounts did "
            f"{process['events_per_second']:,} events/s and wrote "
            f"{process['changelog_bytes_per_event']:g} bytes of changelog an event. Killed and "
            f"started again it was ready after {process['ready_again_seconds']:g} s, "
            f"{process['beyond_session_seconds']:g} s beyond the group's session timeout; of that "
            f"reading, building and fencing took {recovery['weigh']:g} s (weigh) and "
            f"{recovery['score']:g} s (score)."
        )


def _skew(result: Result) -> Iterator[str]:
    yield f"## Skew ({result['date']}): share of the events that have the same target"
    yield ""
    yield "| share | events/s | cost | µs CPU an event |"
    yield "|---|---|---|---|"
    for share, figures in result["runs"].items():
        yield (
            f"| {float(share):.0%} | {figures['events_per_second']:,} | "
            f"{result['cost'][share]:.0%} | {figures['cpu_us_per_event']:g} |"
        )


def _others(result: Result) -> Iterator[str]:
    yield f"## Sink ({result['date']})"
    yield ""
    yield (
        f"{result['rows_per_second']:,} rows/s into ClickHouse, {result['cpu_us_per_row']:g} µs "
        f"CPU a row in the sink and {result['clickhouse_cpu_us_per_row']:g} µs in ClickHouse."
    )


def _publish(result: Result) -> Iterator[str]:
    yield f"## Agents ({result['date']})"
    yield ""
    for agent, figures in result["runs"].items():
        yield (
            f"- `renown {agent}` publishes {figures['events_per_second']:,} events/s, "
            f"{figures['cpu_us_per_event']:g} µs CPU each."
        )


_PARTS: Final[dict[str, Callable[[Result], Iterator[str]]]] = {
    "throughput": _throughput,
    "stages": _stages,
    "latency": _latency,
    "growth": _growth,
    "skew": _skew,
    "sink": _others,
    "publish": _publish,
}


def _by_rate(runs: dict[str, Result]) -> list[tuple[str, Result]]:
    return sorted(runs.items(), key=lambda run: -run[1].get("events_per_second", 0))


def _label(key: str) -> str:
    name, _, window = key.partition(" ")
    return f"{_LABELS.get(name, name)}{f', {window}' if window else ''}"


def _plot(result: Result, path: Path) -> None:
    """Events a second as bars, on a logarithmic axis."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    runs = [
        (key, f["events_per_second"]) for key, f in _by_rate(result["runs"]) if "failed" not in f
    ]
    labels: Sequence[str] = [_label(key).replace("**", "") for key, _ in runs]
    rates = [rate for _, rate in runs]
    colours = ["#d1495b" if key == RENOWN else "#8d99ae" for key, _ in runs]
    figure, axes = pyplot.subplots(figsize=(9, 0.45 * len(runs) + 1.2))
    bars = axes.barh(labels, rates, color=colours)
    axes.bar_label(bars, [f" {rate:,}" for rate in rates], fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(right=max(rates) * 3)
    axes.set_xlabel(f"events a second ({result['date']}, {result['machine']})")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
