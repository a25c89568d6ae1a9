"""The state of weigh and score made again from the rows in ClickHouse."""
