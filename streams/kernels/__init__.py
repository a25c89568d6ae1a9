"""Compiled twins of the core's hot loops: plain arrays in, plain arrays out, nothing else known.

Each has a plain twin, in the core or in ``tests/support``, and a test that both agree on random
input. ``compiling`` says how they are compiled, ``code_cache`` where the machine code is kept.
"""
