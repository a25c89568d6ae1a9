"""Pictures of answers that a small Prometheus gives."""

import json
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from config.errors import ExitCode
from deploy.pictures.draw import main
from deploy.pictures.style import color_of, reduced, threshold_color
from tests.unit.pictures.test_dashboard import SMALL

END = 1_700_000_600


class _Prometheus(BaseHTTPRequestHandler):
    """Two series for every query but ``nothing``; ``bad`` is refused."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        query = form["query"][0]
        if query == "bad":
            self._answer(400, {"status": "error", "error": "parse error"})
            return
        times = range(int(float(form.get("start", [str(END)])[0])), END + 1, 60)
        result: list[dict[str, Any]] = [
            {
                "metric": {"stage": stage},
                "values": [[at, str(height + at % 7)] for at in times],
                "value": [END, str(height)],
            }
            for stage, height in (("weigh", 1), ("score", 0.5))
        ]
        kind = "matrix" if self.path.endswith("query_range") else "vector"
        data = {"resultType": kind, "result": [] if query == "nothing" else result}
        self._answer(200, {"status": "success", "data": data})

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Prometheus) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def panel(kind: str, x: int, query: str = "some") -> dict[str, Any]:
    return {
        **SMALL["panels"][0],
        "title": f"{kind} {query}",
        "type": kind,
        "gridPos": {"x": x, "y": 0, "w": 6, "h": 8},
        "targets": [{"expr": query, "legendFormat": "{{stage}}"}],
        "options": {"graphMode": "area", "legend": {"calcs": ["max"]}},
    }


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    panels = [
        panel("timeseries", 0),
        panel("stat", 6),
        panel("table", 12),
        panel("stat", 18, "nothing"),
    ]
    path = tmp_path / "dashboard.json"
    path.write_text(json.dumps({"title": "All kinds", "panels": panels}))
    return path


def draw(dashboard: Path, prometheus: str, *more: str) -> int:
    return main(
        ["--dashboard", str(dashboard), "--prometheus", prometheus, "--at", str(END), *more]
    )


def test_every_kind_of_panel_is_drawn(
    dashboard: Path, prometheus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    png, svg = tmp_path / "x.png", tmp_path / "x.svg"
    assert draw(dashboard, prometheus, "--out", str(png), "--out", str(svg)) == 0
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    assert (width, height > 300) == (1700, True)
    words = svg.read_text()
    for word in ("All kinds", "weigh", "7 s", "no data", "stat nothing", "Value"):
        assert word in words, word
    said = capsys.readouterr()
    assert said.out.startswith("4 panels in ")
    assert said.err == "without data: stat nothing\n"
    again = tmp_path / "y.svg"
    assert draw(dashboard, prometheus, "--out", str(again)) == 0
    assert again.read_bytes() == svg.read_bytes()


def test_some_panels_only(dashboard: Path, prometheus: str, tmp_path: Path) -> None:
    out = tmp_path / "x.svg"
    assert draw(dashboard, prometheus, "--out", str(out), "--only", "stat some") == 0
    assert "timeseries some" not in out.read_text()


@pytest.mark.parametrize(
    ("more", "code", "part"),
    [
        (["--out", "x.gif"], ExitCode.WRONG_USE, "neither .png nor .svg"),
        (["--out", "none/x.png"], ExitCode.WRONG_USE, "no folder none"),
        (["--out", "x.png", "--only", "y"], ExitCode.WRONG_USE, "no panel"),
        (["--out", "x.png", "--prometheus", ""], ExitCode.WRONG_USE, "needs --prometheus"),
        (["--out", "x.png", "--prometheus", "file:///x"], ExitCode.WRONG_USE, "no address"),
        (["--out", "x.png", "--prometheus", "http://127.0.0.1:1"], ExitCode.UNREACHABLE, "start"),
    ],
)
def test_mistakes_are_told(
    dashboard: Path,
    prometheus: str,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    code: int,
    part: str,
) -> None:
    assert draw(dashboard, prometheus, *more) == code
    said = capsys.readouterr().err
    assert said.startswith("draw: ")
    assert said.count("\n") == 1
    assert part in said


def test_a_refused_query_is_told(
    tmp_path: Path, prometheus: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({"panels": [panel("stat", 0, "bad")]}))
    assert draw(path, prometheus, "--out", str(tmp_path / "x.png")) == ExitCode.WRONG_USE
    assert "refuses bad: parse error" in capsys.readouterr().err


def test_reduced() -> None:
    values = [3.0, 1.0, float("nan")]
    found = {how: reduced(values, how) for how in ("lastNotNull", "max", "min", "mean", "first")}
    assert found == {"lastNotNull": 1, "max": 3, "min": 1, "mean": 2, "first": 3}


def test_colours_of_thresholds(tmp_path: Path, dashboard: Path) -> None:
    from deploy.pictures.dashboard import read_dashboard

    look = read_dashboard(dashboard).panels[0].look
    assert threshold_color(4.9, look) == color_of("green")
    assert threshold_color(5, look) == color_of("semi-dark-red") == color_of("red")
    assert color_of("#123456") == "#123456"
