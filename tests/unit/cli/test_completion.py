"""Completion as a shell asks for it: by the script, in a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BASH = shutil.which("bash")

ASK = """
source <(renown completion bash)
while read -r -a COMP_WORDS; do
    [ "${COMP_WORDS[-1]}" = . ] && COMP_WORDS[-1]=""
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _renown_completion renown
    (IFS=' '; echo "${COMPREPLY[*]}")
done
"""

CASES = {
    "renown de": "demo dead-letters",
    "renown dead-letters .": "list replay",
    "renown dead-letters replay --reason bad": "bad-json bad-text",
    "renown dead-letters list --topic interactions.co": "interactions.comment",
    "renown replay file.jsonl --format .": "snap jsonl klout",
    "renown replay file.jsonl --sp": "--speed",
}
"""What is typed (a dot: nothing yet) → completions."""


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_bash_completes(tmp_path: Path) -> None:
    command = tmp_path / "renown"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m renown "$@"\n')
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    done = subprocess.run(
        [str(BASH), "--norc", "-c", ASK],
        env=environment,
        cwd=tmp_path,
        input="\n".join(CASES) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == ""
    assert dict(zip(CASES, done.stdout.splitlines(), strict=True)) == CASES
