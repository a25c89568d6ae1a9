"""A Prometheus of its own for a test, with the project's rules, and what it finds."""

import json
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml

from config.errors import Unreachable
from renown.embedded.process import LOOPBACK, ChildProcess, free_port
from tests.support.debian import program
from tests.support.rules import write_shortened

_START_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of an answer: its labels, the name among them, and its value."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that is active. ``state``: pending or firing."""

    name: str
    state: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Prometheus:
    """A Prometheus on a loopback port while the context lasts; its data goes with it.

    Raises ``Unreachable`` on start if there is no Prometheus to be had.
    """

    def __init__(
        self,
        targets: Path | None = None,
        *,
        factor: float = 1.0,
        limits: Mapping[str, float] | None = None,
        scrape_seconds: float = 1.0,
        with_rules: bool = True,
        alertmanager: str = "",
    ) -> None:
        """``targets``: a file as ``renown up`` writes it, read again whenever it changes.

        ``factor``: by how much every time in the rules is shortened. ``limits``: other limits than
        those of the rules (see ``tests.support.rules.limits``). ``alertmanager``: its host:port.
        """
        self._targets, self._factor, self._limits = targets, factor, limits
        self._scrape_seconds, self._with_rules = scrape_seconds, with_rules
        self._alertmanager = alertmanager
        self._folder: Path | None = None
        self._child: ChildProcess | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self._port}"

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        executable = program("prometheus")
        self._folder = Path(tempfile.mkdtemp(prefix="renown-prometheus-"))
        self._port = free_port()
        file = self._folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(self._configuration(self._folder)))
        command = [
            *(str(executable), f"--config.file={file}", "--log.level=warn"),
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{self._port}",
        ]
        try:
            self._child = ChildProcess("Prometheus", command)
            self._child.start().wait_ready(self._ready, _START_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop it and remove its data."""
        child, self._child = self._child, None
        if child:
            child.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def query(self, promql: str) -> list[Sample]:
        """What ``promql`` gives now; raises ``ValueError`` with the reason if it is wrong."""
        data = self._get("query", query=promql)
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    def alerts(self) -> list[Alert]:
        """The alerts that are pending or firing."""
        return [
            Alert(
                each["labels"]["alertname"],
                each["state"],
                {name: value for name, value in each["labels"].items() if name != "alertname"},
                each["annotations"],
            )
            for each in self._get("alerts")["alerts"]
        ]

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {alert.name for alert in self.alerts() if alert.state == "firing"}

    def fired(self) -> set[str]:
        """Names of the alerts that fire or fired at any time since it started."""
        found = self.query(
            'count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1d]))'
        )
        return {sample.labels["alertname"] for sample in found}

    def _configuration(self, folder: Path) -> dict[str, Any]:
        configuration: dict[str, Any] = {
            "global": {
                "scrape_interval": f"{round(self._scrape_seconds * 1000)}ms",
                "scrape_timeout": f"{round(self._scrape_seconds * 1000)}ms",
                "evaluation_interval": f"{round(self._scrape_seconds * 1000)}ms",
            }
        }
        if self._with_rules:
            rules = folder / "rules"
            rules.mkdir()
            written = write_shortened(rules, self._factor, self._limits)
            configuration["rule_files"] = [str(path) for path in written]
        if self._targets:
            configuration["scrape_configs"] = [
                {
                    "job_name": "renown",
                    "file_sd_configs": [
                        {"files": [str(self._targets.absolute())], "refresh_interval": "1s"}
                    ],
                }
            ]
        if self._alertmanager:
            managers = [{"static_configs": [{"targets": [self._alertmanager]}]}]
            configuration["alerting"] = {"alertmanagers": managers}
        return configuration

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _get(self, what: str, **values: str) -> Any:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(values)}"
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                reason = json.load(error).get("error", str(error))
            raise ValueError(f"Prometheus refuses {values}: {reason}") from None
        except OSError as error:
            raise Unreachable(f"Prometheus does not answer at {self.url}: {error}") from None
