"""`calc`: a socket asks for what the server has not calculated, within its limits."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from privstream.model.rest import Now
from privstream.simulator.bitfinex.backend import Backend
from privstream.simulator.bitfinex.keys import BitfinexRefused
from privstream.simulator.bitfinex.positions import margin_base, margin_symbol, position_row
from privstream.simulator.bitfinex.wallets import KEYS, Key
from privstream.simulator.bitfinex.words import MARGIN_PAIRS, number
from privstream.simulator.market import ZERO

LARGEST_BATCH = 30
PER_SECOND = 8
PATIENCE = 3  # batches beyond the limit, then the socket is cut
Result = tuple[str, Any]


class Calculations:
    """What one socket waits for."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._asked: deque[str] = deque()
        self._unasked: deque[Key] = deque()
        self._done: deque[float] = deque(maxlen=PER_SECOND)
        self._excesses = 0

    @property
    def abused(self) -> bool:
        return self._excesses >= PATIENCE

    def ask(self, payload: object) -> None:
        """Take a batch, `[["wallet_exchange_BTC"], …]`, or refuse it whole."""
        names = _names(payload)
        if self._backend.limits and len(names) + len(self._asked) > LARGEST_BATCH:
            self._excesses += 1
            raise BitfinexRefused(11010, "ratelimit: error")
        for name in names:
            self._check(name)
        self._asked.extend(names)

    def add_wallets(self) -> None:
        """What the server calculates by itself after a login."""
        self._unasked.extend(KEYS)

    def results(self, now: Now) -> Iterator[Result]:
        """As many as may be calculated now."""
        while self._unasked:
            yield "wu", self._backend.wallets.row(self._unasked.popleft(), calculated=True)
        while self._asked and self._may_calculate(now):
            self._done.append(now.monotonic)
            yield from self._calculate(self._asked.popleft())

    def _may_calculate(self, now: Now) -> bool:
        if not self._backend.limits or len(self._done) < PER_SECOND:
            return True
        return now.monotonic - self._done[0] >= 1

    def _check(self, name: str) -> None:
        kind, _, rest = name.partition("_")
        symbols = {pair.code for pair in MARGIN_PAIRS.values()}
        known = {
            "wallet": tuple(rest.split("_", 1)) in KEYS,
            "position": rest in symbols,
            "margin": rest == "base" or rest.removeprefix("sym_") in symbols,
            "funding": rest.startswith("sym_f"),
            "balance": not rest,
        }
        if not known.get(kind, False):
            raise BitfinexRefused(10020, "calc: invalid")

    def _calculate(self, name: str) -> Iterator[Result]:
        kind, _, rest = name.partition("_")
        wallets, margin = self._backend.wallets, self._backend.margin
        if kind == "wallet":
            key = next(key for key in KEYS if "_".join(key) == rest)
            yield "wu", wallets.row(key, calculated=True)
        elif kind == "position":
            position = margin.position
            if position is not None and position.pair.code == rest:
                valued = replace(position, mark=margin.mark)
                yield "pu", position_row(valued, with_times=False)
        elif kind == "margin":
            yield "miu", self._margin_info(rest)
        elif kind == "funding":
            yield "fiu", ["sym", rest.removeprefix("sym_"), [0, number(ZERO), 0, 0]]
        else:
            yield "bu", wallets.value()

    def _margin_info(self, rest: str) -> list[Any]:
        margin = self._backend.margin
        if rest == "base":
            position = margin.position
            if position is None:
                return margin_base(ZERO, margin.balances["USD"])
            profit = replace(position, mark=margin.mark).profit or ZERO
            return margin_base(profit, margin.balances[position.pair.symbol.quote])
        code = rest.removeprefix("sym_")
        pair = next(pair for pair in MARGIN_PAIRS.values() if pair.code == code)
        return margin_symbol(code, margin.balances[pair.symbol.quote], pair.symbol.price)


def _names(payload: object) -> list[str]:
    if not isinstance(payload, list) or not payload:
        raise BitfinexRefused(10020, "calc: invalid")
    for item in payload:
        if not (isinstance(item, list) and len(item) == 1 and isinstance(item[0], str)):
            raise BitfinexRefused(10020, "calc: invalid")
    return [item[0] for item in payload]
