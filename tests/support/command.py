"""``renown`` as a person runs it: a process of its own, with no settings but those given."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

PATIENCE_SECONDS = 120.0


class Result(NamedTuple):
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of the output, read as JSON."""
        return json.loads(self.out.strip().splitlines()[-1])


def renown(*arguments: str, cwd: Path, stdin: str = "", **settings: str) -> Result:
    """Run a command in ``cwd``; ``kafka="…"`` sets ``RENOWN_KAFKA`` and so on."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
    environment |= {f"RENOWN_{name.upper()}": value for name, value in settings.items()}
    environment["COLUMNS"] = "200"
    done = subprocess.run(
        [sys.executable, "-m", "renown", *arguments],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def assert_one_line(result: Result, code: int, *parts: str) -> None:
    """It failed with ``code``, and all that stderr holds is one line with all ``parts``."""
    assert result.err.count("\n") == 1, result
    assert_last_line(result, code, *parts)


def assert_last_line(result: Result, code: int, *parts: str) -> None:
    """It failed with ``code``, and the last line of stderr, with all ``parts``, says why."""
    line = result.err.strip().splitlines()[-1]
    assert result.code == code, result
    assert line.startswith("renown: "), result
    assert "Traceback" not in result.out + result.err, result
    for part in parts:
        assert part in line, result
