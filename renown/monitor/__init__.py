"""The monitor: looks at a running Renown from outside, as its users see it.

It times a canary (an interaction of its own) from the publisher to ClickHouse, and tells how far
the groups are behind, also when the worker that should tell it is dead.
"""
