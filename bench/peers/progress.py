"""What every peer tells the harness: how many events it has done, ten times a second.

Peers run in environments of their own, so this needs nothing but Python.
"""

import os
import sys
import threading
import time

KAFKA = os.environ.get("BENCH_KAFKA", "")
TOPICS = os.environ.get("BENCH_TOPICS", "").split(",")
GROUP = os.environ.get("BENCH_GROUP", "")
STATE = os.environ.get("BENCH_STATE", "")
HOPPING = os.environ.get("BENCH_WINDOW") == "hopping"
PROCESS = int(os.environ.get("BENCH_PROCESS", "0"))
PROCESSES = int(os.environ.get("BENCH_PROCESSES", "1"))

HOUR_SECONDS = 3600
HOP_SECONDS = 300
HOPS = HOUR_SECONDS // HOP_SECONDS if HOPPING else 1
"""Windows that an event counts in."""

GRACE_SECONDS = 24 * HOUR_SECONDS
"""How late an event may be: partitions are read hours of event time apart."""


class Progress:
    """Counts; ``events`` may be raised by one thread without a lock."""

    def __init__(self) -> None:
        self.events = 0
        threading.Thread(target=self._tell, daemon=True).start()

    def _tell(self) -> None:
        while True:
            time.sleep(0.1)
            if out := sys.__stdout__:  # Faust takes sys.stdout for its log
                out.write(f"PROGRESS {self.events}\n")
                out.flush()
