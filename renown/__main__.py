"""``python -m renown``."""

from renown.cli.main import run

run()
