"""The peers: how each is installed and started. Their programs lie beside this file.

Python peers get an environment of their own under ``DATA``, from ``requirements-<name>.txt``;
Kafka Streams gets its jars from Maven and is compiled with javac. Both happen once.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.common import DATA, say
from config.errors import Unreachable
from tests.support.maven import jars

HERE: Final = Path(__file__).parent
TUMBLING, HOPPING = "tumbling", "hopping"
_STREAMS: Final = (
    "kafka-streams-4.1.0",
    ["org.apache.kafka:kafka-streams:4.1.0", "org.slf4j:slf4j-simple:1.7.36"],
)
_JVM: Final = (
    *("-Xms6g", "-Xmx6g", "-XX:+UseParallelGC"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
)
_INSTALL_SECONDS: Final = 900.0


class Peer(NamedTuple):
    """``command`` installs what is missing and gives the command line of one of ``processes``."""

    name: str
    label: str
    command: Callable[[int], list[str]]
    processes: int = 1
    windows: Sequence[str] = (TUMBLING, HOPPING)
    environment: tuple[tuple[str, str], ...] = ()


def _python(name: str, program: Sequence[str]) -> Callable[[int], list[str]]:
    return lambda _number: [str(_environment(name)), *program]


def _bytewax(number: int) -> list[str]:
    addresses = f"localhost:{_BYTEWAX_PORT};localhost:{_BYTEWAX_PORT + 1}"
    flow = ["-m", "bytewax.run", "bytewax_count:flow", "-i", str(number), "-a", addresses]
    return [str(_environment("bytewax")), *flow]


def _kafka_streams(_number: int) -> list[str]:
    java, compiler = shutil.which("java"), shutil.which("javac")
    if not java or not compiler:
        raise Unreachable("Kafka Streams needs a Java development kit (java and javac)")
    source, classes = HERE / "kafka_streams" / "Count.java", jars(*_STREAMS)
    version = hashlib.blake2b(source.read_bytes(), digest_size=6).hexdigest()
    compiled = DATA / "java" / version
    if not compiled.is_dir():
        say("compiling the Kafka Streams program")
        scratch = compiled.with_suffix(".new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        subprocess.run(
            [compiler, "-cp", f"{classes}/*", "-d", str(scratch), str(source)], check=True
        )
        scratch.rename(compiled)
    return [java, *_JVM, "-cp", f"{compiled}:{classes}/*", "Count"]


def _environment(name: str) -> Path:
    """The Python of a peer's environment, made where it is missing or its versions changed."""
    wanted = (HERE / f"requirements-{name}.txt").read_text()
    folder = DATA / "venvs" / name
    mark = folder / "requirements.txt"
    if not mark.exists() or mark.read_text() != wanted:
        say(f"installing {', '.join(wanted.split())} into {folder}, once (about a minute) ...")
        shutil.rmtree(folder, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [
                *(str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"),
                *("-r", str(HERE / f"requirements-{name}.txt")),
            ],
        ):
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
            )
            if done.returncode:
                raise Unreachable(f"{name} cannot be installed: {done.stderr.strip()[-300:]}")
        mark.write_text(wanted)
    return folder / "bin" / "python"


_BYTEWAX_PORT: Final = 21_101

PEERS: Final = (
    Peer(
        "raw",
        "confluent-kafka, consume only",
        lambda _number: [sys.executable, str(HERE / "raw_consume.py")],
        windows=(TUMBLING,),
    ),
    Peer("kafka-streams", "Kafka Streams", _kafka_streams),
    Peer(
        "kafka-streams-memory",
        "Kafka Streams, windows in memory",
        _kafka_streams,
        environment=(("BENCH_STORE", "memory"),),
    ),
    Peer(
        "pathway",
        "Pathway",
        _python("pathway", ["pathway_count.py"]),
        environment=(("PATHWAY_THREADS", "2"), ("PATHWAY_DISABLE_PROGRESS", "1")),
    ),
    Peer("bytewax", "Bytewax", _bytewax, processes=2),
    Peer("quix", "Quix Streams", _python("quix", ["quix_count.py"]), processes=2),
    Peer("faust", "Faust", _python("faust", ["faust_count.py"])),
)


def environment_of(peer: Peer, number: int, told: dict[str, str]) -> dict[str, str]:
    """The variables of the process ``number`` of a peer; ``told``: what the harness tells."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("RENOWN_", "PYTHONPATH"))}
    numbers = {"BENCH_PROCESS": str(number), "BENCH_PROCESSES": str(peer.processes)}
    return {**ours, **dict(peer.environment), **told, **numbers, "PYTHONUNBUFFERED": "1"}
