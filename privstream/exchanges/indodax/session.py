"""One private connection of an Indodax account: its orders and fills, and when to ask for balances.

The one rule: the stream tells of orders only, so news of an order means that balances
have moved, and they are read over REST.
Source: https://github.com/btcid/indodax-official-api-docs, Private-websocket.md; checked
2026-11-30.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from privstream.exchanges.base import each, unrecognised
from privstream.exchanges.indodax import fast
from privstream.exchanges.indodax.bookmark import Bookmark
from privstream.exchanges.indodax.centrifugo import Centrifugo
from privstream.exchanges.indodax.codes import ReconnectRule
from privstream.exchanges.indodax.orders import Updates
from privstream.model.account import Token
from privstream.model.reports import AnyReport, Fill, Listed, OrderReport
from privstream.model.rest import Now, RestFlow
from privstream.model.session import Action, Ask

QUIET = 2.0
"""Seconds after the last news of an order until balances are read: several come at once."""
LONGEST = 5.0
"""Seconds after which they are read in any case, however many orders move."""
RETRY = 15.0
TRIES = 3
"""Then the next news of an order asks again; each failure was told."""

Balances = Callable[[], RestFlow[tuple[AnyReport | Listed, ...]]]


class AccountSession(Centrifugo):
    """Orders and fills of the stream, balances of REST."""

    def __init__(
        self,
        token: Token | None,
        bookmark: Bookmark,
        reconnect_rule: ReconnectRule,
        fetch_token: Callable[[], RestFlow[Token]],
        *,
        updates: Updates,
        balances: Balances | None,
    ) -> None:
        super().__init__(token, bookmark, reconnect_rule, fetch_token)
        self._updates = updates
        self._balances = balances
        self._first_news: float | None = None
        """The oldest news of an order since the balances were read."""
        self._due = 0.0
        self._tries = TRIES

    def read_fast(self, frame: bytes, now: Now) -> Iterable[Action]:
        if frame == fast.PING:
            return list(self.read({}, now))
        push = fast.decode(frame)
        self._expect(push.channel, push.pub.offset)
        reports = fast.read(push.pub, frame)
        self._pulse.felt(now)
        for report in reports:
            if isinstance(report, OrderReport):
                self._updates.remember(report.order_id, report.fields)
            self._note_news(now)
        if push.pub.offset is not None:
            self._reached(push.pub.offset)
        return reports

    def published(self, elements: Any, offset: int | None, now: Now) -> Iterator[Action]:
        if not isinstance(elements, list):
            yield unrecognised(elements, "a publication is no list of events", offset)
            return
        for report in each(elements, partial(self._updates.read, sequence=offset), offset):
            if isinstance(report, OrderReport | Fill):
                self._note_news(now)
            yield report

    def tick(self, now: Now) -> Iterator[Action]:
        yield from super().tick(now)
        if self._balances is not None and self._first_news is not None:
            yield from self._ask_for_balances(self._balances, now)

    def _note_news(self, now: Now) -> None:
        if self._first_news is None:
            self._first_news = now.monotonic
        self._tries = TRIES
        self._due = min(now.monotonic + QUIET, self._first_news + LONGEST)

    def _ask_for_balances(self, balances: Balances, now: Now) -> Iterator[Action]:
        if now.monotonic < self._due:
            return
        asked = now.monotonic
        self._tries -= 1
        self._first_news = asked if self._tries else None
        self._due = asked + RETRY  # unless they come before
        yield Ask(self._read(balances, asked), "the balances")

    def _read(self, balances: Balances, asked: float) -> RestFlow[tuple[AnyReport | Listed, ...]]:
        found = yield from balances()
        if self._due == asked + RETRY:  # no news meanwhile
            self._first_news = None
        return found
