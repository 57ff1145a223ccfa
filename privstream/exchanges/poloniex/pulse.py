"""Keeps the socket alive and notices when it is not.

The one rule: silence of the account proves nothing and its news prove little; every ping
must be answered by its pong, since what hides a pong hides fills too. Source: protocols/poloniex.md section 3 (checked 2026-11-20).
"""

from collections.abc import Iterator

from privstream.model.rest import Now
from privstream.model.session import Action, Reconnect, Send

PATIENCE = 30.0
"""Seconds without a word from us after which the server ends the session, without a word."""
PING_PERIOD = 10.0
"""Well inside of that; other clients take 5 to 15 s."""
PONG_LIMIT = 8.0
"""Seconds for an answer: the documents state none, live it is a round trip."""
PING = '{"event":"ping"}'


class Pulse:
    """Pings, and what must follow on them."""

    def __init__(self) -> None:
        self._spoke = 0.0
        self._awaits_pong = False

    def spoke(self, now: Now) -> None:
        """We sent something: the server's patience begins anew."""
        self._spoke = now.monotonic

    def answered(self) -> None:
        """A pong came."""
        self._awaits_pong = False

    def check(self, now: Now) -> Iterator[Action]:
        quiet = now.monotonic - self._spoke
        if quiet > PATIENCE:
            # We slept, or waited for a reader: whatever is sent now is not heard any more.
            yield Reconnect("silence", f"we said nothing for {quiet:.0f} s: the session has ended")
        elif self._awaits_pong and quiet > PONG_LIMIT:
            yield Reconnect("silence", f"no pong within {PONG_LIMIT:.0f} s")
        elif not self._awaits_pong and quiet >= PING_PERIOD:
            self._awaits_pong = True
            self.spoke(now)
            yield Send(PING)
