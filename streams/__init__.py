"""interactions.* → weighed → scores → ClickHouse."""
