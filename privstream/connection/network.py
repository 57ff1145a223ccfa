"""What sockets and REST share: whom to trust, which proxy to use, words for failures.

Trust is the system's own certificates as OpenSSL finds them, so `SSL_CERT_FILE` and
`SSL_CERT_DIR` apply; certifi's only where the system has none at all. No other variable
changes it, `SSLKEYLOGFILE` is not read, and nothing turns verification off. A proxy comes
from `https_proxy` and `no_proxy` only, and never stands before a loopback host.
"""

import ipaddress
import os
import re
import socket
import ssl
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from privstream.model.errors import ConfigError, Unreachable, Untrusted
from privstream.model.http_errors import excerpt

_PROXY_PORT = 80
_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY")


def tls_context() -> ssl.SSLContext:
    """Verifies chain and host name; at least TLS 1.2. All connections with exchanges share it.

    The system's certificates take a twentieth of a second and a megabyte to read, and a
    process that does so for each connection grows: they are read anew only when they change.
    Whoever adds something to a context makes one of his own.
    """
    with _READING:  # many accounts begin at once
        return _context_of(_store())


_READING = Lock()


def _store() -> tuple[tuple[str | None, float], ...]:
    """Where the system's certificates are, and when they changed last."""
    paths = ssl.get_default_verify_paths()
    return tuple((path, _changed(path)) for path in (paths.cafile, paths.capath))


def _changed(path: str | None) -> float:
    try:
        return 0.0 if path is None else Path(path).stat().st_mtime
    except OSError:  # it was there a moment ago
        return 0.0


@lru_cache(maxsize=1)
def _context_of(_store: tuple[tuple[str | None, float], ...]) -> ssl.SSLContext:
    return make_tls_context()


def make_tls_context() -> ssl.SSLContext:
    """The same for its caller alone."""
    # Not ssl.create_default_context: that one obeys SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # What urllib3 sets with its first connection anyhow; a WebSocket is begun in HTTP/1.1, too.
    context.set_alpn_protocols(["http/1.1"])
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:
        import certifi  # noqa: PLC0415 - 10 ms for the few systems without a store

        context.load_verify_locations(certifi.where())
    return context


class Proxy(NamedTuple):
    """An HTTP proxy that tunnels with CONNECT."""

    host: str
    port: int
    username: str | None
    password: str | None

    @property
    def url(self) -> str:
        """With name and password, as requests takes it."""
        login = ""
        if self.username:
            login = f"{quote(self.username, safe='')}:{quote(self.password or '', safe='')}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{login}{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


def proxy_for(host: str) -> Proxy | None:
    """The proxy for encrypted connections to this host, by the environment."""
    if is_loopback(host) or not any(os.environ.get(name) for name in _PROXY_VARIABLES):
        return None
    from urllib import request  # noqa: PLC0415 - 15 ms that only proxies need

    address = request.getproxies_environment().get("https")
    if not address or request.proxy_bypass(host):
        return None
    return _read_proxy(address)


def _read_proxy(address: str) -> Proxy:
    wrong = ConfigError(
        "https_proxy names no proxy that privstream can use", "give it as http://HOST:PORT"
    )
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = parts.port or _PROXY_PORT
    except ValueError:
        raise wrong from None  # the cause quotes the address, which may hold a password
    if parts.scheme != "http" or not parts.hostname:
        raise wrong
    name, password = parts.username, parts.password
    return Proxy(
        parts.hostname,
        port,
        unquote(name) if name else None,
        unquote(password) if password else None,
    )


def is_loopback(host: str) -> bool:
    """Only literal loopback addresses and `localhost` itself; what DNS says does not count."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def unreachable(problem: BaseException, host: str) -> Unreachable:
    """The error for a connection that could not be made, with what failed at which host."""
    if isinstance(problem, ssl.SSLError) and not isinstance(problem, _CUT_OFF):
        return Untrusted(
            f"cannot trust {host}: {_tls_reason(problem)}",
            "check the computer's date and certificates; a proxy may be intercepting",
        )
    if (refusal := _NO_TUNNEL.match(str(problem))) is not None:
        return proxy_refused(int(refusal[1]))
    proxy = proxy_for(host)
    hint = f"it goes through the proxy {proxy.host}:{proxy.port} of https_proxy" if proxy else None
    return Unreachable(f"cannot reach {host}: {_what_failed(problem)}", hint)


_NO_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")
"""What http.client, below requests, says of a proxy that refuses."""


_CUT_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""Not refusals: the connection went away during the TLS handshake."""


def _tls_reason(problem: ssl.SSLError) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return excerpt(problem.verify_message)
    return excerpt((problem.reason or "TLS failed").replace("_", " ").lower())


def _what_failed(problem: BaseException) -> str:
    if isinstance(problem, socket.gaierror):
        return "its name does not resolve"
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    if isinstance(problem, OSError) and problem.strerror:
        return excerpt(problem.strerror).lower()
    return "the connection broke"


def proxy_refused(status: int | None) -> Unreachable:
    """The error for a proxy that does not open the tunnel."""
    hint = None
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        hint = "put the name and password into https_proxy: http://NAME:PASSWORD@HOST:PORT"
    said = f"HTTP {status}" if status else "no HTTP answer"
    return Unreachable(f"the proxy of https_proxy refuses the connection: {said}", hint)
