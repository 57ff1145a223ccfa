"""How far a channel was told, so that the server can replay what follows.

The one rule: a place counts only once everything before it is told: what stood at the
start, or what was missed, has been read by then.
"""

from typing import NamedTuple


class Position(NamedTuple):
    """A place in the history that the server keeps of a channel."""

    epoch: str
    offset: int


class Bookmark:
    """Outlives its connections, one after the other."""

    def __init__(self) -> None:
        self.told: Position | None = None
        """Where a new connection should have the channel replayed from."""
        self.recovered = False
        """The server has replayed to this connection everything since `told`."""
        self.opened_ns = 0
        """When this connection began, nanoseconds since the epoch."""
        self._read: Position | None = None
        self._before: Position | None = None
        """What was `told` when this connection began."""
        self._caught_up = self._has_begun = False

    def opened(self, wall_ns: int) -> None:
        """A new connection begins."""
        self.opened_ns, self._before = wall_ns, self.told
        self._read, self._caught_up, self.recovered = None, False, False

    def reached(self, position: Position) -> None:
        """This connection has read the channel up to there."""
        self._read = position
        if self._caught_up:
            self.told = position

    def began(self) -> None:
        """What stands was read; before the first connection nothing was missed."""
        if not self._has_begun:
            self.caught_up()

    def owes_history(self) -> None:
        """Something was missed that is yet to be read: till then no place of this connection counts."""
        self._caught_up, self.told = False, self._before

    def caught_up(self) -> None:
        """What was missed has been read back: from here on everything read is told."""
        self._caught_up = self._has_begun = True
        if self._read is not None:
            self.told = self._read

    def forget(self) -> None:
        """The server does not have that place any more."""
        self.told = self._before = None
