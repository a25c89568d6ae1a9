"""The embedded ClickHouse's own process: ``python -m renown.embedded.clickhouse_server``.

chdb allows one process per data path and hangs in a forked child, hence a process of its own.
Prints ``listening on 127.0.0.1:PORT`` once it can be used.
"""

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

from renown.folders import LOCK_FILE
from renown.locking import hold

READY = "listening on 127.0.0.1:"
IN_USE = "is in use by another process"
_PATIENCE_SECONDS = 20.0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="folder of the data")
    parser.add_argument("--port", type=int, default=0, help="loopback port, 0 for any")
    parser.add_argument("--temporary", action="store_true", help="remove the folder at the end")
    options = parser.parse_args()
    options.path.mkdir(parents=True, exist_ok=True)
    held = hold(options.path / LOCK_FILE)
    if held is None:
        _say(f"{options.path} {IN_USE}")
        return 3
    for leftover in options.path.glob("incoming/*"):  # of inserts that a kill cut short
        leftover.unlink()
    from renown.embedded.bridge.server import Server  # slow: only after the cheap checks

    server = Server(options.path, options.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.shut())
    _say(f"{READY}{server.port}")
    server.serve()
    server.close(_PATIENCE_SECONDS)
    if options.temporary:  # here, since the parent may have been killed
        shutil.rmtree(options.path, ignore_errors=True)
    os._exit(0)  # a statement that is still running must not hold up the end


if __name__ == "__main__":
    sys.exit(main())
