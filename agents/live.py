"""What the agents of live networks have in common: publish what was found, remember how far.

The position is saved only after the broker has acknowledged everything up to it. After a crash some
things are published twice; their ids make that harmless.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from agents.clock import Clock
from agents.cursor import CursorFile, Position
from agents.metrics import ACCOUNT, POST, AgentMetrics
from agents.networks.found import Draft, Found, settle
from agents.outlet import Outlet
from agents.owners import OwnerCache, WaitingRoom
from config.errors import RenownError
from schemas.dead_letter import LARGEST_KEPT_BODY
from schemas.interaction import Interaction
from schemas.topics import Topic

UNRESOLVED: Final = "unresolved target"

_BEAT_SECONDS: Final = 1.0
_CURSOR_SECONDS: Final = 1.0


class LiveState(msgspec.Struct):
    """What is saved with a cursor. ``position`` as the source counts, ``at`` its event time (ms).

    ``place``: of the places that a source may read from, the one that counted so. ``waiting``: what
    came before the position and is not published yet. ``log``: identity of the broker's log that
    acknowledged it, 0 where it is not known.
    """

    position: int = 0
    at: int = 0
    place: str = ""
    waiting: tuple[Draft, ...] = ()
    log: int = 0


class LiveCounts(msgspec.Struct):
    """What was done since the start."""

    published: Counter[str] = msgspec.field(default_factory=Counter)
    rejected: Counter[str] = msgspec.field(default_factory=Counter)
    posts: int = 0
    accounts: int = 0


class LivePublishing:
    """Publishes findings of one network in their order, for one thread.

    ``state``: the position reached, published but perhaps not acknowledged. ``acknowledged``: that
    of the last acknowledgement.
    """

    def __init__(
        self,
        network: str,
        outlet: Outlet,
        cursor: CursorFile,
        owners: OwnerCache,
        waiting: WaitingRoom,
        metrics: AgentMetrics,
        clock: Clock,
    ) -> None:
        self.counts = LiveCounts()
        self.state = LiveState()
        self.acknowledged = LiveState()
        self.log = 0
        """Identity of the broker's log, kept with the cursor."""
        self.waiting = waiting
        self._network = network
        self._outlet = outlet
        self._cursor = cursor
        self._owners = owners
        self._metrics = metrics
        self._clock = clock
        self._told = 0
        self._beaten_at = self._saved_at = clock.monotonic()
        self._asked_at: float | None = None
        self._saved = self.state

    def resume(self) -> bool:
        """Go on from the saved position; False if there is none.

        Raises ``RenownError`` if the cursor is damaged.
        """
        saved = self._cursor.load()
        if saved is None:
            return False
        try:
            self.state = msgspec.json.decode(saved.state, type=LiveState)
        except msgspec.DecodeError:
            raise RenownError(
                f"the cursor {self._cursor.path} is damaged: delete it to start from now on"
            ) from None
        self.acknowledged = self._saved = self.state
        self._metrics.acknowledged(self._network, self.state.at)
        for draft in self.state.waiting:
            self.waiting.add(draft, self._clock.monotonic())
        return True

    def rewind(self, position: int, at: int) -> None:
        """Go back to ``position`` if the saved one lies behind it: another log took what was read.

        What comes twice is recognised by its id.
        """
        if position < self.state.position:
            self.state = msgspec.structs.replace(self.state, position=position, at=at)

    def start_at(self, position: int, at: int) -> None:
        """Begin at a position of one's own choice; 0: with whatever comes next."""
        self.state = LiveState(position, at)

    def handle(self, found: Found, payload: bytes, place: str) -> None:
        """Publish what was found in ``payload``."""
        for reason in found.dropped:
            self.reject(reason)
        if found.trouble:
            self.reject(found.trouble.reason)
            self._bury(payload, f"{found.trouble.reason}: {found.trouble.detail}")
        if found.draft:
            self._settle(found.draft, final=False)
        for undo in found.undos:
            self._publish(undo)
        if found.post:
            self._outlet.publish_post(found.post)
            self.counts.posts += 1
            self._metrics.published(self._network, POST)
        if found.facts:
            self._outlet.publish_account(found.facts)
            self.counts.accounts += 1
            self._metrics.published(self._network, ACCOUNT)
        if found.learned:
            self._learn(found.learned)
        if found.position:
            # Not the highest one ever: one that was wrong would be kept, and what is read again
            # after a reconnection costs nothing but time.
            self.state = LiveState(found.position, found.at, place)

    def reject(self, reason: str) -> None:
        """Count something that became no interaction."""
        self.counts.rejected[reason] += 1
        self._metrics.rejected(self._network, reason)

    def tick(self) -> None:
        """What time asks for; call it often, also where nothing comes."""
        now = self._clock.monotonic()
        if now - self._beaten_at >= _BEAT_SECONDS:
            self._beaten_at = now
            for draft in self.waiting.overdue(now):
                self._settle(draft, final=True)
            self._metrics.waiting_owners(self._network, len(self.waiting))
            self._beat()
            self._outlet.poll()
        if now - self._saved_at >= _CURSOR_SECONDS and self._asked_at is None:
            self._saved_at = now
            self._save_when_acknowledged(now)

    def close(self) -> None:
        """Wait for the broker and save the position."""
        self._save_when_acknowledged(self._clock.monotonic())
        self._outlet.flush()

    def unacknowledged_seconds(self) -> float:
        """How long the broker has been asked to acknowledge without an answer."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else self._clock.monotonic() - asked_at

    def _settle(self, draft: Draft, *, final: bool) -> None:
        settled = settle(draft, self._owners.get)
        if settled.missing and not final:
            self.waiting.add(draft, self._clock.monotonic())
            return
        for reason in settled.dropped:
            self.reject(reason)
        for interaction in settled.interactions:
            self._publish(interaction)
        for interaction, key in settled.missing:
            self.reject(UNRESOLVED)
            self._pass_on(interaction, f"{UNRESOLVED}: nobody is known as the owner of {key}")

    def _learn(self, learned: Iterable[tuple[str, str]]) -> None:
        for key, account in learned:
            self._owners.learn(key, account)
        if len(self.waiting):
            for draft in self.waiting.ready(self._owners):
                self._settle(draft, final=True)

    def _publish(self, interaction: Interaction) -> None:
        self._outlet.publish(interaction)
        self.counts.published[interaction.kind.value] += 1
        self._metrics.published(self._network, interaction.kind.value)

    def _pass_on(self, interaction: Interaction, reason: str) -> None:
        """To its own topic, where ``weigh`` sets it aside, since it has no target."""
        self._outlet.publish_raw(
            Topic.of_kind(interaction.kind),
            interaction.actor.encode(),
            msgspec.json.encode(interaction),
            self._headers(reason),
        )

    def _bury(self, payload: bytes, reason: str) -> None:
        """Where ``weigh`` makes it a dead letter.

        The word in front keeps a payload that looks like an interaction from being taken for one.
        """
        value = f"{self._network} payload: ".encode() + payload[:LARGEST_KEPT_BODY]
        self._outlet.publish_raw(Topic.LIKE, None, value, self._headers(reason))

    def _headers(self, reason: str) -> list[tuple[str, bytes]]:
        return [
            ("renown-source", self._network.encode()),
            ("renown-reason", reason.encode("utf-8", "replace")),
        ]

    def _beat(self) -> None:
        """Tell event time if it went on; never beyond what is published, nor the wall clock."""
        reached = min(self.state.at, self._clock.now_ms())
        earliest = self.waiting.earliest()
        if earliest is not None:
            reached = min(reached, earliest)
        if reached > self._told:
            self._told = reached
            self._outlet.heartbeat(reached)

    def _save_when_acknowledged(self, now: float) -> None:
        state = msgspec.structs.replace(self.state, waiting=tuple(self.waiting), log=self.log)
        if state == self._saved or not state.position:
            return
        content = msgspec.Raw(msgspec.json.encode(state))

        def save() -> None:
            self._asked_at = None
            self._owners.save()
            self._cursor.save(Position(), content)
            self.acknowledged = self._saved = state
            self._metrics.acknowledged(self._network, state.at)

        self._asked_at = now
        self._outlet.after_acknowledged(save)
