"""Checks of the tree that no linter knows: length of modules, and nothing of one machine in it."""

import re
import subprocess
import sys
from pathlib import Path

LONGEST_MODULE = 400
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root)/\w")
REGISTRY = re.compile(r"https?://|--(?:extra-)?index-url|--find-links")


def tracked() -> list[Path]:
    """Files that git knows, those not committed yet included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    return [path for name in names.split("\0") if name and (path := Path(name)).is_file()]


def complaints(path: Path) -> list[str]:
    """What is wrong with one file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []
    found = []
    lines = text.splitlines()
    if path.suffix == ".py" and len(lines) > LONGEST_MODULE:
        found.append(f"{path}: {len(lines)} lines; a module has at most {LONGEST_MODULE}: split it")
    if path.name == "requirements.lock" and REGISTRY.search(text):
        found.append(
            f"{path}: names a package registry; make lock leaves that to the user's settings"
        )
    if path.parts[0] != ".ci":
        found += [
            f"{path}:{number}: a path of one machine"
            for number, line in enumerate(lines, 1)
            if MACHINE_PATH.search(line)
        ]
    return found


def main() -> int:
    """Print every complaint; 1 if there is one."""
    found = [complaint for path in tracked() for complaint in complaints(path)]
    print("\n".join(found) if found else "Tree: nothing to complain about")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
