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
        self._caught_up = self._has_begun = False

    def opened(self, wall_ns: int) -> None:
        """A new connection begins."""
        self.opened_ns = wall_ns
        self._read, self._caught_up, self.recovered = None, False, False

    def reached(self, position: Position) -> None:
        """This connection has read the channel up to there."""
        self._read = position
        if self._caught_up:
            self.told = position

    def needs_no_history(self, *, second_look: bool) -> bool:
        """The replay has brought what was missed: true of catching up only, never of an audit."""
        return self.recovered and (second_look or not self._caught_up)

    def began(self) -> None:
        """What stands was read; on the first connection nothing was missed before."""
        if not self._has_begun:
            self.caught_up()

    def caught_up(self) -> None:
        """What was missed has been read back: from here on everything read is told."""
        self._caught_up = self._has_begun = True
        if self._read is not None:
            self.told = self._read

    def forget(self) -> None:
        """The server does not have that place any more."""
        self.told = None
