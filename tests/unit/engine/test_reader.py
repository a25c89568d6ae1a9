"""The reader of a connection gives the bytes that arrived, in pieces as they are asked for."""

import asyncio
import random
import tracemalloc

import pytest

from streams.engine.reader import _MOST_AHEAD, ChunkReader


class _Transport(asyncio.Transport):
    """Notes when it was told to pause (True) and to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[bool] = []

    def pause_reading(self) -> None:
        self.pauses.append(True)

    def resume_reading(self) -> None:
        self.pauses.append(False)


def _reader() -> tuple[ChunkReader, _Transport]:
    reader, transport = asyncio.StreamReader(limit=1 << 16), _Transport()
    ChunkReader.become(reader)
    assert isinstance(reader, ChunkReader)
    reader.set_transport(transport)
    return reader, transport


@pytest.mark.parametrize("seed", range(20))
def test_what_is_read_is_what_arrived(seed: int) -> None:
    pick = random.Random(seed)
    sent = pick.randbytes(pick.randrange(1, 300_000))

    async def scenario() -> None:
        reader, transport = _reader()

        async def feed() -> None:
            place = 0
            while place < len(sent):
                if transport.pauses[-1:] == [True]:
                    await asyncio.sleep(0)
                    continue
                size = pick.choice([1, 3, 4, 1000, 70_000])
                reader.feed_data(sent[place : place + size])
                place += size
                if pick.random() < 0.3:
                    await asyncio.sleep(0)
            reader.feed_eof()

        feeding, read = asyncio.create_task(feed()), b""
        while len(read) < len(sent):
            size = min(pick.choice([0, 1, 4, 5000, 100_000]), len(sent) - len(read))
            part = await reader.readexactly(size)
            assert isinstance(part, bytes)
            assert len(part) == size
            read += part
        await feeding
        assert read == sent
        assert reader.at_eof()

    asyncio.run(scenario())


def test_the_connection_ends_in_the_middle() -> None:
    async def scenario() -> None:
        reader, _ = _reader()
        reader.feed_data(b"abc")
        reader.feed_eof()
        assert not reader.at_eof()
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await reader.readexactly(4)
        assert caught.value.partial == b"abc"
        assert reader.at_eof()

    asyncio.run(scenario())


def test_an_error_of_the_connection_reaches_who_waits() -> None:
    async def scenario() -> None:
        reader, _ = _reader()
        waiting = asyncio.create_task(reader.readexactly(4))
        await asyncio.sleep(0)
        reader.set_exception(ConnectionResetError("gone"))
        with pytest.raises(ConnectionResetError, match="gone"):
            await waiting
        with pytest.raises(ConnectionResetError, match="gone"):
            await reader.readexactly(1)

    asyncio.run(scenario())


def test_what_nobody_asks_for_is_bounded_and_what_is_asked_for_is_not() -> None:
    async def scenario() -> None:
        reader, transport = _reader()
        for _ in range(3):
            reader.feed_data(bytes(_MOST_AHEAD // 2))
        assert transport.pauses == [True]
        larger = 5 * _MOST_AHEAD
        waiting = asyncio.create_task(reader.readexactly(larger))
        await asyncio.sleep(0)
        assert transport.pauses == [True, False], "who waits needs more"
        held = 3 * (_MOST_AHEAD // 2)
        while held < larger:
            reader.feed_data(bytes(_MOST_AHEAD // 2))
            held += _MOST_AHEAD // 2
        assert transport.pauses == [True, False]
        assert len(await waiting) == larger

    asyncio.run(scenario())


def test_a_large_answer_is_held_about_twice_at_most() -> None:
    async def scenario() -> int:
        reader, _ = _reader()
        size, chunk = 32 << 20, 1 << 18
        waiting = asyncio.create_task(reader.readexactly(size))
        await asyncio.sleep(0)
        tracemalloc.start()
        for _ in range(size // chunk):
            reader.feed_data(bytes(chunk))
        await waiting
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak // size

    assert asyncio.run(scenario()) <= 2
