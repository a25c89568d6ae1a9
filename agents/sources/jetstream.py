"""Jetstream over WebSocket: messages in their order, through whatever happens to the connection.

After each loss it connects again and asks for everything from a little before the position that it
is given, at the place that served so far or, where that does not answer, at the next one. Cursors
are times, so they hold for every place, roughly: a change of place goes back further.
"""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed

from agents.backoff import Backoff
from agents.clock import Clock
from agents.dialling import Dial
from agents.websocket import Socket, dial, reason_of, was_too_big
from config.errors import WrongUse

DEFAULT_URLS: Final = (
    "wss://jetstream2.us-east.bsky.network/subscribe",
    "wss://jetstream1.us-east.bsky.network/subscribe",
    "wss://jetstream2.us-west.bsky.network/subscribe",
    "wss://jetstream1.us-west.bsky.network/subscribe",
)
OVERLAP_US: Final = 5_000_000
OTHER_PLACE_OVERLAP_US: Final = 60_000_000
SILENCE_SECONDS: Final = 60.0

_STEADY_SECONDS: Final = 10.0
"""A connection that lived for so long was a good one."""
_FIRST_SKIP_US: Final = 1_000


class JetstreamFeed:
    """Reads for one thread. ``connected``, ``detail`` and ``reconnects`` say how it goes.

    ``place``: host and port that it reads from or tries. ``asked_from``: the cursor that the
    present connection began with in µs, 0 for none. ``too_big``: messages that ended a connection
    by their size. ``say`` hears of every loss and return.

    Args:
        urls: ws:// or wss:// addresses of the subscription, in the order of preference.
        collections: names of the collections wanted.
        largest: bytes of a message above which the server shall leave it out.
        place: that of the position to begin with, empty if unknown.

    Raises ``WrongUse`` for addresses that cannot be right.
    """

    def __init__(
        self,
        urls: Sequence[str],
        collections: Sequence[str],
        *,
        largest: int,
        clock: Clock,
        say: Callable[[str], None],
        place: str = "",
        backoff: Backoff | None = None,
        silence_seconds: float = SILENCE_SECONDS,
        dial: Callable[[str], Socket] = dial,
    ) -> None:
        self.connected = False
        self.detail = "not connected yet"
        self.reconnects = 0
        self.asked_from = 0
        self._urls = [_checked(url) for url in urls]
        self._query = [("wantedCollections", name) for name in collections]
        self._query.append(("maxMessageSizeBytes", str(largest)))
        self._clock = clock
        self._say = say
        self._place_of_position = place
        self._backoff = backoff or Backoff()
        self._silence_seconds = silence_seconds
        self._make = dial
        self._current = next((n for n, u in enumerate(self._urls) if place_of(u) == place), 0)
        self._dial: Dial[Socket] | None = None
        self._socket: Socket | None = None
        self._retry_at = self._heard_at = self._opened_at = clock.monotonic()
        self._times_connected = 0
        self.too_big = 0
        self._too_big_at = 0
        self._too_big_times = 0
        self._skipping = False

    @property
    def place(self) -> str:
        """Host and port of the address in use."""
        return place_of(self._urls[self._current])

    def receive(self, position: int, seconds: float) -> bytes | None:
        """The next message, or None if there is none within ``seconds``.

        ``position``: up to where (µs) everything is dealt with; 0: begin with what comes next.
        """
        if self._socket is None:
            self._go_on_connecting(position, seconds)
            return None
        try:
            message = self._socket.recv(seconds, decode=False)
        except TimeoutError:
            silent = self._clock.monotonic() - self._heard_at
            if silent >= self._silence_seconds:
                self._lose(f"nothing came for {silent:.0f} s")
            return None
        except ConnectionClosed as error:
            if was_too_big(error):
                self._note_too_big(position)
            self._lose(reason_of(error))
            return None
        self._heard_at = self._clock.monotonic()
        self._place_of_position = self.place
        if self._skipping:  # it was enough: if we come by again, leave out no more than that
            self._skipping = False
            self._too_big_times -= 1
        return message if isinstance(message, bytes) else message.encode()

    def close(self) -> None:
        """End the connection, or the attempt at one."""
        if self._dial:
            self._dial.abandon(_hang_up)
        if self._socket:
            _hang_up(self._socket)
        self._dial = self._socket = None
        self.connected = False

    def _go_on_connecting(self, position: int, seconds: float) -> None:
        if self._dial is None:
            if (left := self._retry_at - self._clock.monotonic()) > 0:
                self._clock.sleep(min(left, seconds))
                return
            self.asked_from = self._cursor(position)
            url = _with_query(self._urls[self._current], self._query, self.asked_from)
            self._dial = Dial(lambda: self._make(url))
        outcome = self._dial.outcome(seconds)
        if outcome is None:
            return
        self._dial = None
        if isinstance(outcome, Exception):
            self._fail(reason_of(outcome))
            return
        self._socket = outcome
        self._opened_at = self._heard_at = self._clock.monotonic()
        self.connected, self.detail = True, ""
        self.reconnects += self._times_connected > 0
        self._times_connected += 1
        self._say(f"connected to {self.place}")

    def _cursor(self, position: int) -> int:
        if not position:
            return 0
        if self._too_big_at == position:
            skipped = _FIRST_SKIP_US << min(self._too_big_times - 1, 40)
            self._skipping = True
            self._say(f"leaving out {skipped / 1e6:g} s behind a message that is far too large")
            return position + skipped
        same = self.place == self._place_of_position
        position = min(position, self._clock.now_ms() * 1000)
        return max(1, position - (OVERLAP_US if same else OTHER_PLACE_OVERLAP_US))

    def _note_too_big(self, position: int) -> None:
        """The same message would end every connection from here on: leave more and more out."""
        self._skipping = False
        if position and position == self._too_big_at:
            self._too_big_times += 1
        else:
            self.too_big += 1
            self._too_big_at, self._too_big_times = position, 1

    def _lose(self, reason: str) -> None:
        if self._socket:
            _hang_up(self._socket)
        self._socket = None
        self.connected = False
        if self._clock.monotonic() - self._opened_at >= _STEADY_SECONDS:
            self._backoff.reset()
            self._wait(f"connection to {self.place} was lost ({reason})")
        else:
            self._fail(reason)

    def _fail(self, reason: str) -> None:
        lost = f"no lasting connection to {self.place} ({reason})"
        self._current = (self._current + 1) % len(self._urls)
        self._wait(lost)

    def _wait(self, lost: str) -> None:
        wait = self._backoff.next()
        self._retry_at = self._clock.monotonic() + wait
        self.detail = (
            f"{lost}; trying {self.place} in {wait:.1f} s, attempt {self._backoff.attempts}"
        )
        self._say(self.detail)


def place_of(url: str) -> str:
    """Host and port of an address, without anything secret that it may hold."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'wss' else 80)}"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        wrong = parts.scheme not in ("ws", "wss") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong:
        raise WrongUse(
            "an address of Jetstream must be like wss://host[:port]/subscribe: correct --url"
        )
    return url


def _with_query(url: str, query: Sequence[tuple[str, str]], cursor: int) -> str:
    """``url`` with what its own query does not say already."""
    parts = urlsplit(url)
    own = [pair for pair in parse_qsl(parts.query) if pair[0] != "cursor"]
    said = {name for name, _ in own}
    pairs = own + [pair for pair in query if pair[0] not in said]
    if cursor:
        pairs.append(("cursor", str(cursor)))
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def _hang_up(socket: Socket) -> None:
    Dial(socket.close)  # in the background: the other side may take its time to say good-bye
