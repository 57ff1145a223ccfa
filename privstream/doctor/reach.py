"""Whether a host of an exchange can be reached and trusted: name, TCP, proxy, TLS.

The one rule: it connects exactly as a stream does, and nothing is said on the connection.
"""

import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from privstream.connection import network
from privstream.connection.clock import Clock
from privstream.connection.socket.transport import Transport
from privstream.doctor.findings import Finding, failed, passed
from privstream.model.account import Endpoints
from privstream.model.errors import PrivstreamError, Untrusted

LIMIT = 10.0
"""Seconds for all of it."""
PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}
LABELS = {"rest_url": "REST", "ws_url": "socket", "history_url": "history", "api_url": "API"}
UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})  # OpenSSL's X509_V_ERR_*: no chain to a known one
EXPIRED, NOT_YET, WRONG_HOST = 10, 9, 62


class Place(Struct, frozen=True):
    """A host to reach, and which settings name it."""

    host: str
    port: int
    secure: bool
    keys: tuple[str, ...]

    @property
    def check(self) -> str:
        """`rest_host`, `socket_host` or `history_host`."""
        return f"{LABELS[self.keys[0]].lower()}_host"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        labels = [LABELS[key] for key in self.keys]
        named = " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))
        return f"{named} {host}:{self.port}"


def places_of(endpoints: Endpoints) -> tuple[Place, ...]:
    """The hosts of an account, each once."""
    found: dict[tuple[str, int, bool], tuple[str, ...]] = {}
    for key in LABELS:
        url = getattr(endpoints, key)
        if url is not None:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
            where = (parts.hostname or "", port, parts.scheme in {"https", "wss"})
            found[where] = (*found.get(where, ()), key)
    return tuple(Place(*where, keys) for where, keys in found.items())


def reach(place: Place, clock: Clock, environ: Mapping[str, str], *, moved: bool) -> Finding:
    """Connect and hang up; `moved` says that the config file names the host."""
    started = clock.now().monotonic
    transport = Transport(clock)
    try:
        transport.connect(place.host, place.port, secure=place.secure, deadline=started + LIMIT)
    except OSError as problem:
        return _unreachable(place, problem, environ, moved=moved)
    except PrivstreamError as problem:  # the proxy's fault
        return failed(place.check, problem, "check https_proxy and no_proxy")
    finally:
        transport.close()
    took = round((clock.now().monotonic - started) * 1000)
    trust = "certificate verified" if place.secure else "not encrypted: this machine"
    return passed(place.check, f"{place}: reached in {took} ms, {trust}")


def _unreachable(
    place: Place, problem: OSError, environ: Mapping[str, str], *, moved: bool
) -> Finding:
    proxy = network.proxy_for(place.host) if place.secure else None
    said = network.unreachable(problem, place.host)
    if isinstance(problem, ssl.SSLError):
        said.hint = _mend_tls(problem, place, environ, moved=moved) or said.hint
    elif proxy is not None:
        said.message += f" (the proxy {proxy.host}:{proxy.port})"
        said.hint = "check https_proxy; where no proxy is needed: unset https_proxy HTTPS_PROXY"
    else:
        said.hint = _mend_way(problem, place, moved=moved)
    reason = said.message.partition(": ")[2]
    done = "trusted" if isinstance(said, Untrusted) else "reached"
    said.message = f"{place} cannot be {done}: {reason}"
    return failed(place.check, said, "check the network")


def _mend_way(problem: OSError, place: Place, *, moved: bool) -> str:
    named = f"check {' and '.join(place.keys)} in the config file"
    if isinstance(problem, socket.gaierror):
        return named if moved else f"check the network and its DNS: getent hosts {place.host}"
    if isinstance(problem, ConnectionRefusedError):
        nobody = f"nothing listens on port {place.port} there"
        return f"{nobody}: start it, or {named}" if moved else f"{nobody}: check the firewall"
    return f"{named}, and the network" if moved else "check the network and the firewall"


def _mend_tls(
    problem: ssl.SSLError, place: Place, environ: Mapping[str, str], *, moved: bool
) -> str | None:
    code = getattr(problem, "verify_code", None)
    named = f"check {' and '.join(place.keys)} in the config file"
    if code in {EXPIRED, NOT_YET}:
        return (
            "see that this machine's date is right (date -u); if it is, only the host can "
            "renew its certificate"
        )
    if code == WRONG_HOST:
        return f"{named}: the certificate is another host's" if moved else _INTERCEPTED
    if code in UNKNOWN_AUTHORITY:
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            if environ.get(name):
                return f"{name} replaces the authorities that are trusted: unset {name}"
        return _INTERCEPTED
    return None


_INTERCEPTED = (
    "somebody intercepts the connection: where that is your own proxy, point SSL_CERT_FILE "
    "at a file with its authority; otherwise use another network"
)
