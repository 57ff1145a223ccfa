"""Examines one account from its hosts to what its key may do; each step needs the ones before.

The one rule: a key that was refused is not tried again, since exchanges lock out who repeats
it; one look costs one connection, and one for each channel where a channel is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from msgspec import Struct

from privstream.connection.account_client import AccountClient
from privstream.connection.clock import Clock
from privstream.connection.ports import Life
from privstream.connection.tokens.cache import Tokens
from privstream.doctor.clock_skew import judge, span
from privstream.doctor.findings import Finding, failed, passed, skipped, warned
from privstream.doctor.key import examine_rights, may_trade
from privstream.doctor.reach import places_of, reach
from privstream.exchanges.base import Exchange
from privstream.model.account import Account, Token
from privstream.model.errors import (
    LoginRefused,
    PrivstreamError,
    Refused,
    TokenRefused,
    Unavailable,
)
from privstream.model.rest import Call, HttpRequest, RestFlow
from privstream.settings.config import AccountSettings

LACKS = "give the key the right that it lacks, see above"
TRY_AGAIN = "try again in a minute; if it stays so, see the exchange's status page"


class Equipment(Struct, frozen=True):
    """An account's way out, and the tokens that it shares with other runs, if it has any."""

    client: AccountClient
    tokens: Tokens | None


class PreparedAccount(Struct, frozen=True):
    """One account, as far as it could be made ready."""

    settings: AccountSettings
    bare: Account
    """Without its secrets."""
    account: Account | None
    """`None` where it cannot log in."""
    obstacle: str
    """Why, in that case."""
    moved: frozenset[str]
    """The URLs that the config file names."""


Equip = Callable[[Account], Equipment]


def examine_account(
    prepared: PreparedAccount, equip: Equip, clock: Clock, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Everything that needs the network."""
    reached: dict[str, bool] = {}
    for place in places_of(prepared.bare.endpoints):
        finding = reach(place, clock, environ, moved=bool(prepared.moved.intersection(place.keys)))
        reached |= dict.fromkeys(place.keys, finding.ok is True)
        yield finding
    if prepared.account is None:
        for check in ("clock", "key", "login"):
            yield skipped(check, f"{check}: {prepared.obstacle}")
        return
    try:
        equipment = equip(prepared.account)
    except PrivstreamError as problem:
        yield failed("login", problem, "see what is said of the state and cache folders")
        return
    try:
        yield from _ExchangeChecks(
            equipment, reached, read_only=prepared.settings.read_only
        ).findings()
    finally:
        equipment.client.stop.set()


class _ExchangeChecks:
    """What the exchange itself says."""

    def __init__(
        self, equipment: Equipment, reached: Mapping[str, bool], *, read_only: bool
    ) -> None:
        self._client = equipment.client
        self._tokens = equipment.tokens
        self._exchange: Exchange = equipment.client.exchange
        self._reached = reached
        self._read_only = read_only
        self._heard = False
        """The exchange has answered, so that its clock is known."""
        self._refused: str | None = None
        """Why a login needs not be tried."""
        self._may_trade = True
        self._lacks = False
        self._connects = 0

    def findings(self) -> Iterator[Finding]:
        if self._reached.get("rest_url"):
            yield from self._over_rest()
        else:
            yield from _unreached("clock", "key", what="the REST host")
        kept = None if self._tokens is None else self._tokens.kept()
        if self._tokens is not None:
            yield _told(kept)
        if not self._reached.get("ws_url"):
            yield from _unreached("login", what="the socket host")
        elif self._exchange.has_token() and kept is None and not self._reached.get("rest_url"):
            yield from _unreached("login", what="the REST host, which gives out tokens,")
        elif self._refused is not None:
            yield skipped("login", f"login: not tried, {self._refused}")
        else:
            yield from self._login()
        count, seconds = self._exchange.limits.connects
        text = f"connects: at most {count} in {seconds:g} s; this examination took {self._connects}"
        yield passed("connects", text)
        if self._exchange.order_entry is not None:
            yield self._orders()

    def _orders(self) -> Finding:
        if self._read_only:
            return passed("read_only", "orders: none can be placed, by read_only")
        if not self._may_trade:
            return passed("read_only", "orders: none can be placed with this key")
        section = f"[accounts.{self._exchange.account.name}]"
        hint = f"where privstream shall only watch: read_only = true in {section}"
        return warned("read_only", "orders: `privstream order` may place them here", hint)

    # --- over REST -------------------------------------------------------------------------

    def _over_rest(self) -> Iterator[Finding]:
        if self._exchange.open_path is not None:
            with suppress(PrivstreamError):  # whatever it was, the next call meets it
                self._client.ask(_opened(self._exchange.open_path))
                self._heard = True
        if self._heard:
            yield self._clock()
            yield from self._key()
        else:
            # Its first answer to the key brings the time.
            found = list(self._key())
            yield self._clock()
            yield from found

    def _clock(self) -> Finding:
        exchange = self._exchange
        if not self._heard:
            return skipped("clock", f"clock: {exchange.title} has not answered")
        found = judge(exchange.title, self._client.rest.skew_ns, exchange.clock_limits)
        if not found.ok:
            self._refused = "the clock must be set first"
        return found

    def _key(self) -> Iterator[Finding]:
        if self._refused is not None:
            yield skipped("key", f"key: not tried, {self._refused}")
            return
        try:
            rights = self._client.ask(self._exchange.rights_of_key())
        except PrivstreamError as problem:
            self._heard |= isinstance(problem, Refused | Unavailable)
            if isinstance(problem, LoginRefused):
                self._refused = "the key is refused"
            yield failed("key", problem, TRY_AGAIN)
            return
        if rights:
            self._heard = True
            self._may_trade = may_trade(rights)
            self._lacks = any(right.held is False for right in rights if right.use == "read")
            yield from examine_rights(self._exchange.title, rights)

    # --- the login -------------------------------------------------------------------------

    def _login(self) -> Iterator[Finding]:
        channels = self._exchange.select(())
        try:
            self._log_in(channels)
        except LoginRefused as problem:
            if self._lacks:
                problem.hint = LACKS
            yield failed("login", problem, TRY_AGAIN)
        except Refused as problem:
            yield failed("login", problem, TRY_AGAIN)
            # Where no token was given out there is nothing to connect with.
            if self._connects and 1 < len(channels) < self._exchange.limits.connects[0]:
                yield from self._one_by_one(channels)
        except PrivstreamError as problem:
            yield failed("login", problem, TRY_AGAIN)
        else:
            yield passed("login", f"login: accepted, streams {', '.join(channels)}")

    def _one_by_one(self, channels: tuple[str, ...]) -> Iterator[Finding]:
        """Which of them is refused."""
        for channel in channels:
            try:
                self._log_in((channel,))
            except PrivstreamError as problem:
                problem.message = f"channel {channel}: {problem.message}"
                yield failed("channel", problem, TRY_AGAIN)
            else:
                yield passed("channel", f"channel {channel}: streams")

    def _log_in(self, channels: tuple[str, ...]) -> None:
        token = self._fetched()
        try:
            self._connect(channels, token)
        except TokenRefused:
            if self._tokens is None or token is None:
                raise
            # The cached one may have died without a word.
            self._tokens.refused(token)
            self._connect(channels, self._fetched())

    def _fetched(self) -> Token | None:
        if self._tokens is not None:
            return self._tokens.get(0.0)[0]
        return self._client.ask(self._exchange.fetch_token())

    def _connect(self, channels: tuple[str, ...], token: Token | None) -> None:
        self._connects += 1
        with self._client.logged_in(channels, token):
            pass


def _told(kept: tuple[Token, Life] | None) -> Finding:
    left = None if kept is None else kept[1].ttl
    if left is None:
        return passed("token", "token: none in the cache; the login fetches one")
    return passed("token", f"token: the one in the cache is good for {span(left)} more")


def _unreached(*checks: str, what: str) -> Iterator[Finding]:
    for check in checks:
        yield skipped(check, f"{check}: {what} must be reached first")


def _opened(path: str) -> RestFlow[None]:
    yield Call(build=lambda _: HttpRequest(method="GET", path=path), name="the time", cost=0.0)
