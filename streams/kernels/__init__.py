"""Compiled twins of the core's hot loops: plain arrays in, plain arrays out, nothing else known.

The core runs in Python and numpy alone so far. A loop that is moved here keeps its plain twin in
the core, and a test that both agree on random input.
"""
