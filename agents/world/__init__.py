"""A made-up world without an end: accounts on several networks, and what they do to each other.

The same seed, number of accounts, rate and start give the same events in the same order, whenever
and wherever they are made; only the times of receipt are those of the real clock. What is random
comes from the raw 64-bit numbers of PCG64, whose stream NumPy promises never to change, and
becomes choices by arithmetic of our own; NumPy's distributions, which may change, are not used.
What is left to differ is the last bit of a cosine or a power, which moves a choice once in some
10^15.

The world counts what it hands out by what must become of it (``ledger``), so that a pipeline can
be compared with it to the event.
"""
