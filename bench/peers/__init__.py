"""Who is compared: small programs that re-key by target and count per account in 1 h windows.

Each runs in processes of its own, with pinned versions that are no part of Renown's own lock.
"""
