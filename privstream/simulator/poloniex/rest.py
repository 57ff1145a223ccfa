"""REST of the simulated Poloniex: who may ask, how often, and for what.

The one rule: a success is the bare object or list, a refusal an HTTP status of 4xx
with `code` and `message`.
"""

from collections import deque
from urllib.parse import parse_qsl

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Request
from privstream.simulator.poloniex import public
from privstream.simulator.poloniex.arguments import INVALID, Call, Wrong
from privstream.simulator.poloniex.history import History
from privstream.simulator.poloniex.keys import (
    Key,
    age_ms,
    is_count,
    is_known_signing,
    is_old,
    signed_text,
)

JSON = "application/json"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, LATE, TOO_MANY = 401, 403, 404, 408, 429
PASSING = {
    24201: "Service busy",
    21707: "Internal accounts error",
    250000: "Internal error",
    603: "Internal Server Error",
    415: "System Error",
}
ORDER_METHODS = frozenset({"POST", "PUT", "DELETE"})


class Rest:
    """Everything but the socket."""

    def __init__(
        self, history: History, key: Key, *, limits: bool, busy_every: int | None = None
    ) -> None:
        self._history, self._key, self._limits = history, key, limits
        self.busy_every, self._count_of_calls = busy_every, 0
        self._calls: dict[str, deque[float]] = {}

    def answer(self, request: Request, now: Now) -> Answer:
        try:
            return _json(self._result(request, now))
        except Wrong as wrong:
            return _json({"code": wrong.code, "message": str(wrong)}, wrong.status)

    def _result(self, request: Request, now: Now) -> object:
        open_to_all = public.result(request.path, now) if request.method == "GET" else None
        if open_to_all is not None:
            return open_to_all
        call = self._history.call(request.path)
        if call is None:
            raise Wrong(NOT_FOUND, "Not Found", NOT_FOUND)
        self._authenticate(request, now)
        self._authorise(request.method)
        self._count(call, now)
        self._be_busy()
        return call.answer(_fields(request, call), now)

    # --- who asks ----------------------------------------------------------------------

    def _authenticate(self, request: Request, now: Now) -> None:
        headers = request.headers
        timestamp = headers.get("signtimestamp", "")
        known = headers.get("key") == self._key.name
        if not known or not is_count(timestamp) or self._key.refused:
            raise Wrong(UNAUTHORIZED, "Unauthorized", UNAUTHORIZED)
        signing = headers.get("signaturemethod"), headers.get("signatureversion")
        text = signed_text(request, timestamp)
        if not is_known_signing(*signing) or not self._key.signed(text, headers.get("signature")):
            raise Wrong(UNAUTHORIZED, "Invalid signature", UNAUTHORIZED)
        if is_old(timestamp, now):
            raise Wrong(UNAUTHORIZED, "Signature has expired", UNAUTHORIZED)
        window = headers.get("recvwindow")
        if window is not None and not is_count(window):
            raise Wrong(INVALID, f"Invalid recvWindow: {window}")
        if window is not None and age_ms(timestamp, now) > int(window):
            raise Wrong(LATE, "Request exceeded recvWindow", LATE)

    def _authorise(self, method: str) -> None:
        right = "trade" if method in ORDER_METHODS else "read"
        if right not in self._key.rights:
            raise Wrong(FORBIDDEN, "Permission denied", FORBIDDEN)
        if method != "GET":  # orders are given elsewhere than in a simulator for readers
            raise Wrong(NOT_FOUND, "Not Found", NOT_FOUND)

    def _be_busy(self) -> None:
        """Passing faults come with the status of a wrong call; only their codes tell."""
        self._count_of_calls += 1
        if self.busy_every and not self._count_of_calls % self.busy_every:
            codes = list(PASSING)
            code = codes[self._count_of_calls // self.busy_every % len(codes)]
            raise Wrong(code, PASSING[code])

    def _count(self, call: Call, now: Now) -> None:
        if not self._limits:
            return
        times = self._calls.setdefault(call.name, deque())
        while times and times[0] <= now.monotonic - 1:
            times.popleft()
        if len(times) >= call.rate:
            raise Wrong(TOO_MANY, "Too many requests", TOO_MANY)
        times.append(now.monotonic)


def _fields(request: Request, call: Call) -> dict[str, str]:
    pairs = parse_qsl(request.query, keep_blank_values=True)
    for name, value in pairs:
        if name not in call.arguments:
            raise Wrong(INVALID, f"Invalid {name}: {value}")
    return dict(pairs)


def _json(body: object, status: int = 200) -> Answer:
    return Answer(status, exact.encode(body), JSON)
