"""What hosts ask of the engine that they share, and how it may answer."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct


class Away(Exception):
    """It does not answer, or cannot do it now."""


class Conflict(Exception):
    """Another revision lies there."""


class Doubt(Exception):
    """Nobody knows whether a batch is in: look."""


class Message(Struct, frozen=True, gc=False):
    """What is to be stored."""

    subject: str
    body: bytes


class Stored(Struct, frozen=True, gc=False):
    """What lies there."""

    subject: str
    sequence: int
    body: bytes


class Log(Protocol):
    """The stream of events."""

    @property
    def largest(self) -> int:
        """Bytes of a message, headers included."""

    async def last(self, subject: str) -> Stored | None:
        """The last message of a subject, wildcards included."""

    async def messages(self, subject: str, begin: int, until: int) -> list[Stored]:
        """All messages of a subject from one sequence to another."""

    async def publish(self, messages: Sequence[Message], fence: str, expected: int) -> int:
        """Store all or none, if `expected` is the last sequence of the subjects `fence`.

        Returns the sequence of the last one. Raises Doubt, and Away where nothing was sent.
        """

    async def purge(self, subject: str, below: int) -> None:
        """Remove the messages of a subject before a sequence."""


class Bucket(Protocol):
    """The leases, and who is there."""

    async def entries(self) -> Mapping[str, Stored]:
        """All that lies in it, by key."""

    async def put(self, key: str, value: bytes, over: int | None = None) -> int:
        """Write a key, over this revision if one is given (0: none); returns its new one.

        Raises Conflict where another lies there, and Away where nobody knows.
        """

    async def forget(self, key: str) -> None:
        """Remove a key."""
