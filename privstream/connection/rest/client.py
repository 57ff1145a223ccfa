"""Runs REST flows: budget, nonce, request, answer, all within time limits.

Redirects are never followed. Messages name the host and the call, never the query,
the headers or the body of a request. `requests` is imported with the first call.
"""

import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, urlsplit

from privstream import __version__
from privstream.connection import network
from privstream.connection.clock import Clock
from privstream.connection.rest.driving import driven
from privstream.connection.rest.nonces import Nonces
from privstream.connection.rest.pacing import Pacing
from privstream.model import http_errors
from privstream.model.account import Endpoints
from privstream.model.errors import (
    ConfigError,
    Interrupted,
    PrivstreamError,
    RateLimited,
    Unavailable,
    Unreachable,
)
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

if TYPE_CHECKING:
    from requests import PreparedRequest

    from privstream.connection.rest.adapter import Adapter

T = TypeVar("T")

FLOW_LIMIT = 60.0
REQUEST_LIMIT = 10.0
SLICE = 0.25
"""How long the caller's other duties may wait."""


def _nothing() -> None:
    pass


class Rest:
    """The REST side of one account; one thread owns it."""

    def __init__(
        self,
        endpoints: Endpoints,
        nonces: Nonces,
        pacing: Pacing,
        clock: Clock,
        stop: threading.Event | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._nonces = nonces
        self._pacing = pacing
        self._clock = clock
        self._stop = stop or threading.Event()
        self._adapter: Adapter | None = None
        self.skew_ns = 0
        """How far the exchange's clock is ahead of ours, by the last answer's Date header."""

    def run(
        self,
        flow: RestFlow[T],
        *,
        idle: Callable[[], None] | None = None,
        deadline: float = FLOW_LIMIT,
        tries: int = 1,
    ) -> T:
        """Drive the flow to its result, within `deadline` seconds.

        `idle` is called a few times a second while waiting for budget or answer. A call that
        cannot be answered just now is performed `tries` times in a row.
        """
        until = self._clock.now().monotonic + deadline
        duties = idle or _nothing

        def perform(call: Call) -> HttpResponse:
            return self._perform(call, duties, until)

        return driven(flow, perform, partial(self._pause, duties), tries=tries)

    def _pause(self, idle: Callable[[], None], seconds: float) -> None:
        """Wait before another try."""
        until = self._clock.now().monotonic + seconds
        while (left := until - self._clock.now().monotonic) > 0:
            idle()
            if self._clock.wait(min(left, SLICE), self._stop):
                raise _stopped("a pause before another try")

    def close(self) -> None:
        """Let go of the kept connections."""
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter.close()

    def _perform(self, call: Call, idle: Callable[[], None], until: float) -> HttpResponse:
        self._await_budget(call, idle, until)
        with self._nonce(call, until) as nonce:
            request = call.build(Stamp(self._clock.now(), nonce))
            response = self._exchange(request, call.name, idle, until)
        response = http_errors.without_echo(response, {**_form(request), **request.headers})
        return self._accept(response, call.name, self._host(request))

    def _await_budget(self, call: Call, idle: Callable[[], None], until: float) -> None:
        while True:
            now = self._clock.now()
            wait = self._pacing.take(call.cost, now)
            if not wait:
                return
            if now.monotonic + wait > until:
                raise RateLimited(
                    f"{call.name} must wait {wait:.0f} s for its request budget", floor=wait
                )
            idle()
            if self._clock.wait(min(wait, SLICE), self._stop):
                raise _stopped(call.name)

    def _nonce(self, call: Call, until: float) -> AbstractContextManager[int]:
        if not call.nonce:
            return nullcontext(0)
        now = self._clock.now()
        return self._nonces.next(now, until - now.monotonic)

    def _exchange(
        self, request: HttpRequest, name: str, idle: Callable[[], None], until: float
    ) -> HttpResponse:
        """Send in a thread of its own, so that a slow server holds up nobody but itself."""
        host = self._host(request)
        limit = min(REQUEST_LIMIT, until - self._clock.now().monotonic)
        if limit <= 0:
            raise Unreachable(f"no time left for {name}")
        attempt = _Attempt(self._ready_adapter(), request, self._url(request), name, limit)
        attempt.start()
        answered = False
        try:
            answered = self._answered(attempt, limit, idle, name)
        finally:
            if not answered:
                self._abandon(attempt)
        if not answered:
            late = Unreachable(f"{host} did not answer {name} within {limit:.0f} s")
            late.never_sent = attempt.never_sent
            raise late
        return attempt.result()

    def _answered(
        self, attempt: "_Attempt", limit: float, idle: Callable[[], None], name: str
    ) -> bool:
        until = self._clock.now().monotonic + limit
        while (left := until - self._clock.now().monotonic) > 0:
            attempt.join(min(SLICE, left))
            if not attempt.is_alive():
                return True
            idle()
            if self._stop.is_set():
                raise _stopped(name)
        return False

    def _abandon(self, attempt: "_Attempt") -> None:
        self._adapter = None
        attempt.abort()

    def _accept(self, response: HttpResponse, name: str, host: str) -> HttpResponse:
        sent = http_errors.sent_at(response.headers)
        if sent is not None:
            self.skew_ns = int(sent * 1e9) - self._clock.now().wall_ns
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            refused = http_errors.rate_limited(response, f"{host} ({name})")
            self._pacing.close(refused.floor, self._clock.now())
            raise refused
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            raise Unavailable(
                f"{host} redirects {name} (HTTP {response.status}); redirects are never followed",
                "check rest_url",
                floor=http_errors.OUTAGE_FLOOR,
            )
        return response

    def _ready_adapter(self) -> "Adapter":
        if self._adapter is None:
            from privstream.connection.rest.adapter import Adapter  # noqa: PLC0415 - 50 ms

            self._adapter = Adapter()
        return self._adapter

    def _url(self, request: HttpRequest) -> str:
        base = getattr(self._endpoints, request.base)
        if base is None:
            raise ConfigError(f"this exchange needs a {request.base}")
        return f"{base.rstrip('/')}{request.path}"

    def _host(self, request: HttpRequest) -> str:
        return urlsplit(self._url(request)).hostname or ""


def _form(request: HttpRequest) -> dict[str, str]:
    """The fields of a request's form, where it has one: Indodax wants its key there."""
    return dict(parse_qsl(request.body.decode("latin-1")))


class _Attempt(threading.Thread):
    """One request on its way; its owner waits for it, or aborts and forgets it."""

    def __init__(
        self, adapter: "Adapter", request: HttpRequest, url: str, name: str, limit: float
    ) -> None:
        super().__init__(name=f"rest {name}", daemon=True)
        self._adapter = adapter
        self._request = request
        self._url = url
        self._call = name
        self._limit = limit
        self._response: HttpResponse | None = None
        self._problem: BaseException | None = None

    def run(self) -> None:
        try:
            self._response = self._adapter.perform(self._prepared(), self._url, self._limit)
        except BaseException as problem:  # noqa: BLE001 - raised again in the owner's thread
            self._problem = problem

    def _prepared(self) -> "PreparedRequest":
        from requests import Request  # noqa: PLC0415 - imported with the first call

        headers = {
            "User-Agent": f"privstream/{__version__}",
            "Accept-Encoding": "gzip",
            **self._request.headers,
        }
        body = self._request.body or None
        return Request(self._request.method, self._url, headers=headers, data=body).prepare()

    def abort(self) -> None:
        self._adapter.abort()
        self._adapter.close()

    @property
    def never_sent(self) -> bool:
        """Nothing left this computer, and after an abort nothing will."""
        return not self._adapter.has_sent

    def result(self) -> HttpResponse:
        """The answer, or what went wrong in our own words."""
        if self._response is not None:
            return self._response
        problem = self._problem or ConnectionError()
        if not isinstance(problem, PrivstreamError):
            problem = _failure(problem, urlsplit(self._url).hostname or "")
            problem.never_sent = self.never_sent
        problem.message = f"{self._call}: {problem.message}"
        problem.args = (problem.message,)
        raise problem


def _failure(problem: BaseException, host: str) -> Unreachable:
    """The error for a request that had no whole answer; bugs of ours are raised as they are."""
    from requests import RequestException  # noqa: PLC0415 - imported with the first call
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    if not isinstance(problem, RequestException | HTTPError | OSError):
        raise problem
    # Without its cause: requests quotes whole addresses, and a query may be signed.
    return network.unreachable(_root(problem), host)


def _root(problem: BaseException) -> BaseException:
    """The deepest cause: the operating system's or OpenSSL's own error."""
    while (cause := problem.__cause__ or problem.__context__) is not None:
        if isinstance(problem, ssl.SSLError):
            return problem
        problem = cause
    return problem


def _stopped(name: str) -> Interrupted:
    return Interrupted(f"stopped during {name}", cause="stopped")
