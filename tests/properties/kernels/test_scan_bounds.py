"""The scan reads no byte that is not there: behind its data lies memory that cannot be read."""

import subprocess
import sys

_SCAN = """
import ctypes, mmap, random
import numpy as np
from schemas.topics import Topic
from streams.core.column_decoder import ColumnDecoder
from streams.core.records import RecordColumns
from streams.kernels.json_text import SLACK

page = mmap.PAGESIZE
memory = mmap.mmap(-1, 2 * page)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mprotect(ctypes.c_void_p(address + page), ctypes.c_size_t(page), 0) == 0
data = np.frombuffer(memory, np.uint8, page)
decoder, random_ = ColumnDecoder(Topic.LIKE, 0, 1), random.Random(5)
one = lambda number: np.array([number], np.int64)
done = 0
for value in GOLDEN:
    damaged = [value[:end] for end in range(1, len(value) + 1)]
    for _ in range(2000):
        raw = bytearray(value)
        for _ in range(random_.randint(1, 3)):
            raw[random_.randrange(len(raw))] = random_.choice(b'"\\\\{}:,0a \\x00\\xff')
        damaged.append(bytes(raw[: random_.randint(1, len(raw))]))
    for raw in damaged:
        start = page - SLACK - len(raw)
        behind = bytes([random_.choice(b'"0 a}')]) * SLACK
        data[start:page] = np.frombuffer(raw + behind, np.uint8)
        place, size = one(start), one(len(raw))
        found = decoder.decode(
            RecordColumns(data, one(0), one(1 << 41), place, size, one(0), one(-1), None)
        )
        assert len(found) == 1
        done += 1
print(done)
"""
GOLDEN = [
    b'{"v":1,"id":"a","kind":"like","network":"bluesky","actor":"bluesky:a","target":"bluesky:b",'
    b'"at":1700000000000,"received_at":1700000000000,"amount":12,"undo":false,"estimated":true,'
    b'"object":"o","record":"r"}',
    b'{"clock":1700000000000,"v":1,"agent":"x"}',
]


def test_damaged_records_at_the_end_of_readable_memory() -> None:
    code = _SCAN.replace("GOLDEN", repr(GOLDEN))
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert found.returncode == 0, found.stderr
    assert int(found.stdout) == 2 * 2000 + sum(map(len, GOLDEN))
