"""A broker and a ClickHouse of one's own, from wheels: nothing to install, nothing to configure."""
