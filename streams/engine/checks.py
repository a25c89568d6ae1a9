"""What a worker answers to ``/health`` and ``/ready``."""

from functools import partial

from config.telemetry import Check
from streams.engine.worker import WorkerApp

_CONNECTING = "it is connecting"


class Checks:
    """The checks of a worker, which may be asked before its app exists.

    ``health``, ``ready``: name → check, for ``Telemetry``.
    """

    def __init__(self, *names: str) -> None:
        """``names``: of the checks that ``app.checks`` will have."""
        self.app: WorkerApp | None = None
        self.health: dict[str, Check] = {"loop": self._loop}
        self.ready: dict[str, Check] = {name: partial(self._ask, name) for name in names}

    def _loop(self) -> str:
        return self.app.pulse.check() if self.app else ""

    def _ask(self, name: str) -> str:
        return self.app.checks[name]() if self.app else _CONNECTING
