"""The small made-up world that the demo plays: three days, seven networks, all five kinds.

``python -m agents.demo_world FOLDER`` writes ``interactions.jsonl.gz`` and ``expected.json``. The
same seed gives the same lines. What must become of them is counted while they are made up, not by
looking at them afterwards, so the pipeline can be checked against it.
"""
