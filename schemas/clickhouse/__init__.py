"""The migrations of ClickHouse, in the order of their numbers; an applied one is never edited."""
