"""Session tokens: fetched once for all processes with the same credentials, used while they live.

The one rule: whoever looks for a token and finds none that will do holds the lock until
the exchange has answered, so that many who ask at once make one request.
"""

from collections.abc import Callable

from privstream.connection.clock import Clock, Uptime, uptime
from privstream.connection.ports import Life, RestRunner
from privstream.connection.tokens.file import Kept, TokenFile
from privstream.exchanges.base import Exchange
from privstream.model.account import Token
from privstream.model.errors import ConfigError, OutputFailed

NANOS = 10**9
FETCH_LIMIT = 60.0
"""Seconds for waiting for another process and for the request, together."""


class Tokens:
    """The tokens of one account; one thread owns it.

    `note` hears of a token that could not be kept or dropped; without it, that is raised.
    """

    def __init__(
        self,
        exchange: Exchange,
        rest: RestRunner,
        clock: Clock,
        file: TokenFile,
        *,
        note: Callable[[str], None] | None = None,
        limit: float = FETCH_LIMIT,
        up: Callable[[], Uptime] = uptime,
    ) -> None:
        self._exchange = exchange
        self._rest = rest
        self._clock = clock
        self._file = file
        self._note = note
        self._limit = limit
        self._up = up

    def kept(self) -> tuple[Token, Life] | None:
        """The token that is there and alive; asks nobody."""
        return self._usable(self._file.read(), 0.0, None)

    def get(self, min_ttl: float, *, other_than: Token | None = None) -> tuple[Token, Life]:
        """One that lives for `min_ttl` seconds: the kept one, or a new one.

        A new one may live shorter, where the exchange gives out no other. Raises Refused,
        Unreachable and ConfigError.
        """
        seen = self._file.read()
        return self._usable(seen, min_ttl, other_than) or self._new(seen, other_than)

    def refresh(self) -> tuple[Token, Life]:
        """One that was not there before this call."""
        return self._new(self._file.read(), None)

    def refused(self, token: Token) -> None:
        """Drop it, if it is still the one that is kept."""
        # Without the lock: who waits for it here may be stopped, and at worst one that
        # somebody fetched this instant is fetched once more.
        kept = self._file.read()
        if kept is not None and kept.token == token.secret:
            try:
                self._file.drop()
            except (ConfigError, OutputFailed) as problem:
                self._unkept(problem)

    def _new(self, seen: Kept | None, other_than: Token | None) -> tuple[Token, Life]:
        until = self._clock.now().monotonic + self._limit
        with self._file.locked(self._limit):
            kept = self._file.read()
            # Who waited takes what the one before him fetched: there is no fresher one.
            if kept is not None and (seen is None or kept.token != seen.token):
                found = self._usable(kept, 0.0, other_than)
                if found is not None:
                    return found
            return self._fetched(until)

    def _fetched(self, until: float) -> tuple[Token, Life]:
        # The moment before asking: then the waits of the request only make it seem older.
        now, up = self._clock.now(), self._up()
        token = self._rest.run(self._exchange.fetch_token(), deadline=until - now.monotonic)
        if token is None:
            raise AssertionError("asked for a token of an exchange that has none")
        kept = Kept.of(token, now, up)
        if kept is None:
            return token, Life(None, None, renewed=True)
        try:
            self._file.write(kept)
        except (ConfigError, OutputFailed) as problem:
            self._unkept(problem)
        return token, self._life(kept, renewed=True)

    def _unkept(self, problem: ConfigError | OutputFailed) -> None:
        if self._note is None:
            raise problem
        self._note(problem.message)

    def _usable(
        self, kept: Kept | None, min_ttl: float, other_than: Token | None
    ) -> tuple[Token, Life] | None:
        if kept is None or (other_than is not None and kept.token == other_than.secret):
            return None
        life = self._life(kept, renewed=False)
        if not life.ttl or life.ttl < min_ttl:
            return None
        return kept.as_token(), life

    def _life(self, kept: Kept, *, renewed: bool) -> Life:
        now = self._clock.now()
        left = kept.left(now, self._up())
        stated = kept.wall_ns + round(kept.life * NANOS)
        measured = now.wall_ns + round(left * NANOS)
        # The stated moment, so that it is told alike every time, unless the clock was set.
        ends = stated if abs(stated - measured) < NANOS else measured
        return Life(ends, left, renewed)
