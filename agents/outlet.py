"""What a source needs of a publisher; ``Publisher`` is one, tests have one of their own."""

from collections.abc import Callable, Sequence
from typing import Protocol

from schemas.account import AccountFacts
from schemas.interaction import Interaction
from schemas.post import Post
from schemas.topics import Topic


class Outlet(Protocol):
    """Takes what a source yields; see ``Publisher`` for what each call promises."""

    def publish(self, interaction: Interaction, encoded: bytes | None = None) -> None:
        """Publish one interaction, as ``encoded`` if given."""
        ...

    def publish_raw(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Publish bytes as they are."""
        ...

    def publish_post(self, post: Post) -> None:
        """Publish a post, or that it was deleted."""
        ...

    def publish_account(self, facts: AccountFacts) -> None:
        """Publish facts of an account."""
        ...

    def heartbeat(self, clock: int) -> None:
        """Tell every partition that event time has reached ``clock`` (ms)."""
        ...

    def after_acknowledged(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once everything published up to now is acknowledged."""
        ...

    def poll(self) -> None:
        """Notice acknowledgements and failures."""
        ...

    def flush(self) -> None:
        """Wait until everything is acknowledged."""
        ...
