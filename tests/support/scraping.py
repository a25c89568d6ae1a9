"""What the processes of a running stack tell Prometheus."""

import json
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from renown.folders import TARGETS_FILE

Samples = dict[str, float]
"""Name of a sample and the values of its labels, in the order of their names → value."""


def port_of(folder: Path, process: str) -> int:
    """The port at which ``process`` of the stack in ``folder`` tells its metrics."""
    for target in json.loads((folder / TARGETS_FILE).read_text()):
        if target["labels"]["process"] == process:
            return int(target["targets"][0].rpartition(":")[2])
    raise AssertionError(f"{process} is no target")


def scrape(folder: Path, process: str) -> Samples:
    """Every sample; nothing while the process does not answer."""
    url = f"http://127.0.0.1:{port_of(folder, process)}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {
        " ".join((sample.name, *(value for _, value in sorted(sample.labels.items())))): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
