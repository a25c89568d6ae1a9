"""Writes the dashboards in deploy/grafana/dashboards: ``python -m deploy.grafana.generate``.

Every panel says what to do about what it shows; change it here, not in the JSON.
"""

import json
from pathlib import Path
from typing import Final

from deploy.grafana.agents_dashboard import agents
from deploy.grafana.panels import Json
from deploy.grafana.pipeline_dashboard import pipeline
from deploy.grafana.scores_dashboard import clickhouse_scores

FOLDER: Final = Path(__file__).with_name("dashboards")


def dashboards() -> dict[str, Json]:
    """Name of the file without its ending → dashboard."""
    return {
        "pipeline": pipeline(),
        "agents": agents(),
        "clickhouse-scores": clickhouse_scores(),
    }


def text(dashboard: Json) -> str:
    """A dashboard as it is kept."""
    return json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, dashboard in dashboards().items():
        (FOLDER / f"{name}.json").write_text(text(dashboard))
