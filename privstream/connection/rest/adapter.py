"""requests, reduced to what is safe here: one request, one answer, within limits.

Only its adapter is used, not its Session: that one reads .netrc and other variables,
keeps cookies, and reads the whole body of a redirect even when it does not follow.
"""

import contextlib
import logging
import socket
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection

from privstream.connection import network
from privstream.model.errors import Unavailable
from privstream.model.rest import HttpResponse

BODY_LIMIT = 16 * 1024 * 1024
"""Ten thousand open orders are an answer of 6 MB."""
DENSE_LIMIT = 4 * 1024 * 1024
"""What is larger must not have come in much less: lists of orders shrink to a tenth or so."""
DENSEST = 50
PIECE = 1024 * 1024

# It logs whole paths, and a signature may stand in a query.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class Adapter(requests.adapters.HTTPAdapter):
    """Connections that are kept, verified by our own TLS context, and can be aborted."""

    def __init__(self) -> None:
        self._tls = network.tls_context()
        self._connection: HTTPConnection | None = None
        self._aborted = False
        self.has_sent = False
        """Something of a request may be on its way; who performs one resets it."""
        self.target = "/"
        """Path and query of the request at work, exactly as they are to be sent."""
        super().__init__()

    def perform(self, request: requests.PreparedRequest, url: str, timeout: float) -> HttpResponse:
        """Send it and read the whole answer. `timeout` is per step: only `abort` bounds it all."""
        self.has_sent = False
        parts = urlsplit(url)
        host = parts.hostname or ""
        self.target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        proxy = network.proxy_for(host) if parts.scheme == "https" else None
        response = self.send(
            request, stream=True, timeout=timeout, proxies={"https": proxy.url} if proxy else {}
        )
        try:
            body = _read(response.raw, host)
        finally:
            # A connection whose answer was read to the end has gone back to its pool before.
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(status=response.status_code, headers=headers, body=body)

    def abort(self) -> None:
        """Free whoever waits for an answer, and let nothing more be sent; from any thread."""
        self._aborted = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                # Past SSLSocket.shutdown, which would drop the TLS layer first.
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def began(self, connection: HTTPConnection) -> None:
        """This connection is about to send."""
        self._connection = connection
        if self._aborted:
            raise ConnectionAbortedError

    # --- what requests calls -----------------------------------------------------------

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=self._tls)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if pool.ConnectionCls in {HTTPConnection, HTTPSConnection}:
            pool.ConnectionCls = _abortable(pool.ConnectionCls, self)
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave trust to our context, where requests would add certifi's store to it."""
        del url, verify, cert
        conn.cert_reqs = "CERT_REQUIRED"


def _read(raw: Any, host: str) -> bytes:
    """The whole body, unpacked; refused as soon as it is too large, or too dense to be true."""
    body = bytearray()
    while piece := raw.read(PIECE, decode_content=True):
        body += piece
        dense = len(body) > DENSE_LIMIT and len(body) > DENSEST * raw.tell()
        if dense or len(body) > BODY_LIMIT:
            limit = DENSE_LIMIT if dense else BODY_LIMIT
            raise Unavailable(f"{host} sent an answer of more than {limit >> 20} MiB")
    return bytes(body)


def _abortable(kind: Any, adapter: Adapter) -> Any:
    """The same kind of connection, which asks the adapter before it sends anything."""

    class Abortable(kind):  # type: ignore[misc] # the base is one of two, known only here
        def connect(self) -> None:
            super().connect()
            adapter.has_sent = True  # soon; before `began`, so that an abort never misses it
            adapter.began(self)

        def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            del url  # spelled anew on the way here; a signature covers the exact text
            adapter.has_sent = self.sock is not None
            adapter.began(self)
            super().putrequest(method, adapter.target, *args, **kwargs)

    return Abortable
