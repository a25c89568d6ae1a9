"""ClickHouse's native TCP protocol in front of chdb, so that one client path serves both.

``wire`` reads and writes primitives, ``columntypes`` and ``blocks`` find where a Native block ends,
``compression`` wraps and unwraps LZ4 frames, ``packets`` spells what client and server say,
``engine`` is chdb, ``session`` serves one connection, ``server`` listens.

Spoken is revision 54429: settings as strings, nothing of what came later.
"""
