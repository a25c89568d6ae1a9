"""Writes the demo's data: ``python -m agents.demo_world renown/demo``."""

import gzip
import json
import sys
from pathlib import Path
from typing import Final

from agents.demo_world.story import Story

SEED: Final = 20250310


def write(folder: Path) -> None:
    """Write both files; the same bytes each time, on the same zlib."""
    story = Story(SEED)
    body = b"".join(line + b"\n" for line in story.lines())
    folder.mkdir(parents=True, exist_ok=True)
    packed = gzip.compress(body, compresslevel=9, mtime=0)
    (folder / "interactions.jsonl.gz").write_bytes(packed)
    text = json.dumps(story.ledger.expected(), indent=2, ensure_ascii=False)
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m agents.demo_world FOLDER")
    write(Path(sys.argv[1]))
