"""Pathway: counts per target in windows of an hour, in its Rust engine.

Best configuration by its documentation: events parsed by the engine itself (`format="json"` with a
schema of the two fields that are needed), two workers (PATHWAY_THREADS, set by the harness,
https://pathway.com/developers/user-guide/deployment/deploying/ and /licensing), large batches
(`autocommit_duration_ms`). Windows as in
https://pathway.com/developers/user-guide/temporal-data/windows-manual/. No behaviour is given:
each event counts, however late. Progress is the sum of all windows, which the engine adds up.
"""

import pathway as pw
from progress import GROUP, HOP_SECONDS, HOPPING, HOPS, HOUR_SECONDS, KAFKA, TOPICS, Progress


class Event(pw.Schema):
    """What counting needs."""

    target: str
    at: int


def main() -> None:
    """Count until told to stop."""
    progress = Progress()
    settings = {
        "bootstrap.servers": KAFKA,
        "group.id": GROUP,
        "auto.offset.reset": "earliest",
        "fetch.message.max.bytes": str(4 << 20),
    }
    tables = [
        pw.io.kafka.read(
            settings, topic=topic, schema=Event, format="json", autocommit_duration_ms=1000
        )
        for topic in TOPICS
    ]
    events = pw.Table.concat_reindex(*tables)
    hour = HOUR_SECONDS * 1000
    window = (
        pw.temporal.sliding(hop=HOP_SECONDS * 1000, duration=hour)
        if HOPPING
        else pw.temporal.tumbling(duration=hour)
    )
    counts = events.windowby(pw.this.at, window=window, instance=pw.this.target).reduce(
        target=pw.this._pw_instance,
        start=pw.this._pw_window_start,
        count=pw.reducers.count(),
    )
    total = counts.reduce(events=pw.reducers.sum(pw.this.count))

    def tell(key: object, row: dict[str, int], time: int, is_addition: bool) -> None:
        if is_addition:
            progress.events = row["events"] // HOPS

    pw.io.subscribe(total, on_change=tell)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main()
