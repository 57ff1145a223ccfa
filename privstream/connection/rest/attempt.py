"""One request on its way, in a thread of its own: its nonce, its sending, its answer.

The one rule: nobody waits for it; whoever gives it up may be sure that nothing more is sent.
`requests` is imported with the first one.
"""

import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from privstream import __version__
from privstream.connection import network
from privstream.connection.clock import Clock
from privstream.model.errors import PrivstreamError, Unreachable
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, Stamp

if TYPE_CHECKING:
    from requests import PreparedRequest

    from privstream.connection.rest.adapter import Adapter


class RequestThread(threading.Thread):
    """Sends one call and keeps what comes of it; its owner looks now and then."""

    def __init__(
        self,
        call: Call,
        adapter: "Adapter",
        clock: Clock,
        *,
        url: Callable[[HttpRequest], str],
        nonce: AbstractContextManager[int],
        limit: float,
        finished: threading.Event,
    ) -> None:
        super().__init__(name=f"rest {call.name}", daemon=True)
        self.adapter = adapter
        self.call = call
        self.request: HttpRequest | None = None
        self._clock = clock
        self._url = url
        self._nonce = nonce
        self._limit = limit
        self._finished = finished
        self.began: Now | None = None
        """When the wait for the nonce was over: from then on the answer has its time."""
        self.ended: Now | None = None
        """When the answer was there."""
        self._response: HttpResponse | None = None
        self._problem: BaseException | None = None
        self.is_done = False

    def run(self) -> None:
        try:
            with self._nonce as nonce:
                self.began = self._clock.now()
                request = self.request = self.call.build(Stamp(self.began, nonce))
                url = self._url(request)
                self._response = self.adapter.perform(_prepared(request, url), url, self._limit)
                self.ended = self._clock.now()
        except BaseException as problem:  # noqa: BLE001 - raised again in the owner's thread
            self._problem = problem
        self.is_done = True
        self._finished.set()

    def is_late(self) -> bool:
        """The answer did not come in its time."""
        if self.began is None or self.is_done:
            return False
        return self._clock.now().monotonic >= self.began.monotonic + self._limit

    def abort(self) -> None:
        """Free the thread; nothing more of the request leaves this computer."""
        self.adapter.abort()
        self.adapter.close()

    @property
    def never_sent(self) -> bool:
        """Nothing left this computer, and after an abort nothing will."""
        return not self.adapter.has_sent

    @property
    def host(self) -> str:
        return "" if self.request is None else urlsplit(self._url(self.request)).hostname or ""

    def late(self) -> Unreachable:
        """The error for an answer that did not come."""
        problem = Unreachable(
            f"{self.host} did not answer {self.call.name} within {self._limit:.0f} s"
        )
        problem.never_sent = self.never_sent
        return problem

    def response(self) -> HttpResponse:
        """The answer, or what went wrong in our own words."""
        if self._response is not None:
            return self._response
        problem = self._problem or ConnectionError()
        if isinstance(problem, PrivstreamError) and self.request is None:
            raise problem  # of the nonce, or of the signing
        if not isinstance(problem, PrivstreamError):
            problem = _failure(problem, self.host)
            problem.never_sent = self.never_sent
        problem.message = f"{self.call.name}: {problem.message}"
        problem.args = (problem.message,)
        raise problem


def _prepared(request: HttpRequest, url: str) -> "PreparedRequest":
    from requests import Request  # noqa: PLC0415 - imported with the first call

    headers = {
        "User-Agent": f"privstream/{__version__}",
        "Accept-Encoding": "gzip",
        **request.headers,
    }
    return Request(request.method, url, headers=headers, data=request.body or None).prepare()


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
