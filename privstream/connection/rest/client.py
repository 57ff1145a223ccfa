"""The REST side of one account: budget, nonce, request, answer, all within time limits.

The one rule: redirects are never followed, and messages name the host and the call, never
the query, the headers or the body of a request.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from privstream.connection.clock import Clock
from privstream.connection.locks import LOCK_LIMIT
from privstream.connection.rest.attempt import RequestThread
from privstream.connection.rest.job import AT_ONCE, Job, Manner
from privstream.connection.rest.nonces import Nonces, NoncesInMemory
from privstream.connection.rest.pacing import Budget
from privstream.connection.rest.skew import narrowed
from privstream.model import http_errors
from privstream.model.account import Endpoints
from privstream.model.errors import ConfigError, Interrupted, Unavailable
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow

if TYPE_CHECKING:
    from privstream.connection.rest.adapter import Adapter

T = TypeVar("T")

FLOW_LIMIT = 60.0
REQUEST_LIMIT = 10.0
SLICE = 0.25
"""How long the caller's other duties may wait."""
ABANDONED = 0.25
"""Seconds that an aborted request may take to end: nobody waits for it, but it should be gone."""
KEPT = 2
"""Idle connections: one for what is asked between frames, one for what is read beside."""


def _nothing() -> None:
    pass


class Rest:
    """Runs the account's REST flows; one thread owns it."""

    def __init__(
        self,
        endpoints: Endpoints,
        nonces: Nonces | NoncesInMemory,
        pacing: Budget,
        clock: Clock,
        stop: threading.Event | None = None,
        *,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._nonces = nonces
        self._pacing = pacing
        self._clock = clock
        self._stop = stop or threading.Event()
        self._note = note
        self._idle: list[Adapter] = []
        self.finished = threading.Event()
        """Some request is over."""
        self.skew_ns = 0
        """How far the exchange's clock is ahead of ours, by the Date headers of its answers."""

    # --- driving flows ---------------------------------------------------------------------

    def start(
        self, flow: RestFlow[T], manner: Manner = AT_ONCE, *, until: float | None = None
    ) -> Job[T]:
        """Put a flow on its way; its owner polls it. `until`: no request goes out later."""
        return Job(flow, self, self._clock, manner=manner, until=until, called=self._say)

    def run(
        self,
        flow: RestFlow[T],
        *,
        idle: Callable[[], None] | None = None,
        deadline: float = FLOW_LIMIT,
    ) -> T:
        """Drive the flow to its result, within `deadline` seconds.

        `idle` is called a few times a second while waiting for budget or answer.
        """
        until = self._clock.now().monotonic + deadline
        job = self.start(flow, until=until)
        try:
            self._drive(job, idle or _nothing, until)
        except BaseException:
            # Whoever is broken off may be sure that nothing more is sent.
            job.interrupt(Interrupted(f"broken off during {job.doing}", cause="stopped"))
            raise
        return job.result()

    def _drive(self, job: Job[T], idle: Callable[[], None], until: float) -> None:
        while not job.poll():
            idle()
            if self._stop.is_set():
                job.interrupt(Interrupted(f"stopped during {job.doing}", cause="stopped"))
            elif job.patience:
                self._clock.wait(min(job.patience, SLICE), self._stop)
            else:
                self.finished.wait(max(0.01, min(SLICE, until - self._clock.now().monotonic)))
                self.finished.clear()

    def close(self) -> None:
        """Let go of the kept connections."""
        idle, self._idle = self._idle, []
        for adapter in idle:
            adapter.close()

    def _say(self, name: str) -> None:
        if self._note is not None:
            self._note(f"asking for {name}")

    # --- one call, as a job wants it -------------------------------------------------------

    def wait_for(self, call: Call, spare: float) -> float:
        return self._pacing.take(call.cost, self._clock.now(), spare)

    def send(self, call: Call, limit: float | None) -> "Sent":
        nonce: AbstractContextManager[int] = nullcontext(0)
        if call.nonce:
            nonce = self._nonces.next(self._clock.now(), LOCK_LIMIT if limit is None else limit)
        thread = RequestThread(
            call,
            self._ready_adapter(),
            self._clock,
            url=self._url,
            nonce=nonce,
            limit=REQUEST_LIMIT if limit is None else min(REQUEST_LIMIT, limit),
            finished=self.finished,
        )
        thread.start()
        return Sent(self, thread)

    def heard(self, thread: RequestThread) -> HttpResponse:
        """The answer to a request that is over; raises what it means that there is none."""
        try:
            response = thread.response()
        except BaseException:
            thread.adapter.close()
            raise
        self._keep(thread.adapter)
        request = thread.request
        if request is not None:
            response = http_errors.without_echo(response, {**_form(request), **request.headers})
        self._take_time(response, thread)
        return self._accept(response, thread.call.name, thread.host)

    def _take_time(self, response: HttpResponse, thread: RequestThread) -> None:
        sent, began, ended = http_errors.sent_at(response.headers), thread.began, thread.ended
        if sent is not None and began is not None and ended is not None:
            self.skew_ns = narrowed(self.skew_ns, sent, began, ended)

    def _keep(self, adapter: "Adapter") -> None:
        if len(self._idle) < KEPT:
            self._idle.append(adapter)
        else:
            adapter.close()

    def _accept(self, response: HttpResponse, name: str, host: str) -> HttpResponse:
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
        if self._idle:
            return self._idle.pop()
        from privstream.connection.rest.adapter import Adapter  # noqa: PLC0415 - 50 ms

        return Adapter()

    def _url(self, request: HttpRequest) -> str:
        base = getattr(self._endpoints, request.base)
        if base is None:
            raise ConfigError(f"this exchange needs a {request.base}")
        return f"{base.rstrip('/')}{request.path}"


def _form(request: HttpRequest) -> dict[str, str]:
    """The fields of a request's form, where it has one: Indodax wants its key there."""
    return dict(parse_qsl(request.body.decode("latin-1")))


class Sent:
    """A request on its way, as its job sees it."""

    def __init__(self, rest: Rest, thread: RequestThread) -> None:
        self._rest = rest
        self._thread = thread

    def is_over(self) -> bool:
        return self._thread.is_done or self._thread.is_late()

    def result(self) -> HttpResponse:
        if not self._thread.is_done:
            problem = self._thread.late()
            self._thread.abort()
            raise problem
        return self._rest.heard(self._thread)

    def abandon(self) -> None:
        self._thread.abort()
        self._thread.join(ABANDONED)
