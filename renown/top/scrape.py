"""What the processes of a stack tell at their metrics ports."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from renown.folders import TARGETS_FILE
from renown.top.readings import ProcessReading

_TIMEOUT_SECONDS: Final = 1.0
_LARGEST_ANSWER: Final = 8 * 1024 * 1024
_MOST_TARGETS: Final = 64

COUNTED: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "weighed": ("renown_events_total", {"stage": "weigh"}),
    "scored": ("renown_events_total", {"stage": "score", "outcome": "applied"}),
    "stored": ("renown_sink_rows_total", {"table": "interactions_rows"}),
    "published": ("renown_agent_published_total", {}),
    "dead": ("renown_dead_letters_total", {}),
    "duplicates": ("renown_duplicates_total", {}),
    "late": ("renown_late_total", {}),
}
"""Counter of a ``ProcessReading`` → the samples that it is the sum of."""


class Target(NamedTuple):
    """A process and where it listens."""

    name: str
    job: str
    address: str


def targets_of(folder: Path) -> list[Target]:
    """The targets that a stack has written; none if there is no such file, or no good one."""
    try:
        entries = json.loads((folder / TARGETS_FILE).read_bytes())
        found = [
            Target(
                str(entry["labels"].get("process", address)),
                str(entry["labels"].get("job", "")),
                str(address),
            )
            for entry in entries
            for address in entry["targets"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return found[:_MOST_TARGETS]


def scrape_all(targets: Iterable[Target]) -> tuple[ProcessReading, ...]:
    """Ask all targets at once; one that does not answer in a second is told as such."""
    asked = list(targets)
    if not asked:
        return ()
    with ThreadPoolExecutor(len(asked)) as pool:
        return tuple(pool.map(scrape, asked))


def scrape(target: Target) -> ProcessReading:
    """What one target tells; never raises for one that does not answer."""
    try:
        text = _get(target.address, "/metrics")
        state = _state(_get(target.address, "/ready"))
        return reading_of(target, text.decode("utf-8", "replace"), state)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ProcessReading(target.name, target.job, False, f"no answer ({reason})")


def reading_of(target: Target, text: str, state: str) -> ProcessReading:
    """A reading from the text of ``/metrics``; raises ``ValueError`` if it is none."""
    families = {family.name: family for family in text_string_to_metric_families(text)}
    canary = families.get("renown_canary_last_seconds")
    return ProcessReading(
        target.name,
        target.job,
        True,
        state,
        cpu=_sum(families, "process_cpu_seconds_total", {}),
        memory=round(_sum(families, "process_resident_memory_bytes", {})),
        counters={name: _sum(families, *wanted) for name, wanted in COUNTED.items()},
        canary=canary.samples[0].value if canary and canary.samples else None,
    )


def _sum(families: dict[str, Metric], name: str, labels: dict[str, str]) -> float:
    family = families.get(name.removesuffix("_total")) or families.get(name)
    return sum(
        sample.value
        for sample in (family.samples if family else ())
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def _state(answer: bytes) -> str:
    """``ready``, or the first check that is not in order."""
    try:
        checks = json.loads(answer)["checks"].items()
        return next((f"{name}: {text}" for name, text in checks if text != "ok"), "ready")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "ready"


def _get(address: str, path: str) -> bytes:
    host, _, port = address.rpartition(":")
    with closing(HTTPConnection(host.strip("[]"), int(port), timeout=_TIMEOUT_SECONDS)) as asked:
        asked.request("GET", path, headers={"Accept": "text/plain"})
        return asked.getresponse().read(_LARGEST_ANSWER)
