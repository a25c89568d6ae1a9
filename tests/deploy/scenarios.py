"""Every scenario; ``python -m tests.deploy.scenarios`` writes them as unit tests of promtool."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import yaml

from tests.deploy.flow_scenarios import FLOW_SCENARIOS
from tests.deploy.process_scenarios import PROCESS_SCENARIOS
from tests.deploy.scenario import Scenario
from tests.support.rules import PROMETHEUS

FOLDER: Final = PROMETHEUS / "tests"
SCENARIOS: Final[dict[str, Callable[[], Scenario]]] = {
    made.__name__: made for made in (*PROCESS_SCENARIOS, *FLOW_SCENARIOS)
}

_HEAD: Final = "# Written by python -m tests.deploy.scenarios; change that, not this.\n"


def path(name: str) -> Path:
    """Where the test of a scenario is kept."""
    return FOLDER / f"{name}.yml"


def text(scenario: Scenario) -> str:
    """The test of a scenario."""
    return _HEAD + yaml.safe_dump(scenario.promtool(), sort_keys=False, width=10_000)


def main() -> None:
    """Write the tests of all scenarios, and remove those of scenarios that are no more."""
    for old in FOLDER.glob("*.yml"):
        old.unlink()
    for name, make in SCENARIOS.items():
        path(name).write_text(text(make()))


if __name__ == "__main__":
    main()
