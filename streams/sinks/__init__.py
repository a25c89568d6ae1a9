"""ClickHouse as the sink: migrations, rows, progress and the writer."""
