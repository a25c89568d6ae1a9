"""What ``renown top`` shows: readings from outside, the picture they give, and its drawing.

``probes`` and ``scrape`` read, ``watch`` does so again and again, ``picture`` computes and ``draw``
draws. Only the first three do I/O.
"""
