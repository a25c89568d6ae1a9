"""``make crash FAULTS=n SEED=s``: n random faults, resumed where an earlier run stopped."""

import argparse
import signal
import sys
from pathlib import Path

from tests.crash.run import BROKERS, load_outcomes, run_faults, store_outcomes

_RESULTS = Path("tests/crash/results")


def main() -> int:
    """Exit code 1 if anything differed."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--broker", choices=BROKERS, default="apache")
    parser.add_argument("--folder", type=Path, default=Path(".data/crash"), help="logs, databases")
    wanted = parser.parse_args()
    # As Ctrl-C: what was started ends with us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    path = _RESULTS / f"{wanted.broker}-{wanted.seed}.json"
    outcomes = load_outcomes(path)
    folder = wanted.folder.absolute() / f"{wanted.broker}-{wanted.seed}"
    for outcome in run_faults(
        folder, wanted.broker, wanted.seed, len(outcomes), wanted.faults, stop_at_difference=False
    ):
        outcomes.append(outcome)
        store_outcomes(path, wanted.broker, wanted.seed, outcomes)
    differences = [words for each in outcomes for words in each["differences"]]
    sys.stdout.write("\n".join([f"{path.with_suffix('.md')}", *differences]) + "\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
