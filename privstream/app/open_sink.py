"""Makes a sink of its settings: secrets fetched, trust and proxy as for the exchanges."""

import base64
import hashlib
import re
import ssl
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, structs

from privstream.connection.network import make_tls_context, proxy_for
from privstream.model.errors import ConfigError, UsageError
from privstream.settings.config import Config
from privstream.settings.credentials import Origin, resolve
from privstream.settings.sinks import SinkSettings

if TYPE_CHECKING:  # each only where it is asked for
    from privstream.outputs.sinks.base import Sink
    from privstream.outputs.sinks.nats_client import Access


_PREFIX = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


MAX_DIGITS = 5


def open_sink(settings: SinkSettings, config: Callable[[], Config]) -> "Sink":
    """The sink, ready to deliver. Raises ConfigError and UsageError."""
    match settings.scheme:
        case "sqlite":
            from privstream.outputs.sinks.sqlite import SqliteSink  # noqa: PLC0415

            return SqliteSink(Path(settings.url.partition(":")[2]).expanduser())
        case "http" | "https":
            return _webhook(settings, config)
        case "nats" | "tls":
            return _nats(settings, config)
        case "redis" | "rediss":
            return _redis(settings, config)
    raise UsageError(f"there is no sink for {settings.scheme}:")


def sink_mark(settings: SinkSettings, config: Config) -> bytes:
    """What tells a sink from one that is set up otherwise. Raises ConfigError.

    Secrets count by what they are now, and files by what is in them.
    """
    plain = {key: value for key, value in structs.asdict(settings).items() if key != "settings"}
    in_order = {key: sorted(v) if isinstance(v, frozenset) else v for key, v in plain.items()}
    digest = hashlib.sha256(repr(in_order).encode())
    whose = f"[sinks.{settings.name}]"
    for key, value in sorted(settings.settings.items()):
        for one in value if isinstance(value, tuple) else (value,):
            digest.update(f"\0{key}\0".encode())
            if isinstance(one, Path):
                digest.update(_content(one, f"{whose} {key}"))
            elif isinstance(one, str):
                digest.update(one.encode())
            else:
                secret = resolve(cast("Origin", one), f"{whose} {key}", config.environment)
                digest.update(secret.reveal().encode())
    return digest.digest()


def _content(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise ConfigError(f"{what} {path}: {problem.strerror}") from None


def _webhook(settings: SinkSettings, config: Callable[[], Config]) -> "Sink":
    from privstream.outputs.sinks.webhook import Webhook  # noqa: PLC0415

    parts = urlsplit(settings.url)
    target = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()
    keys = _keys(settings, config)
    return Webhook(_connector(settings), target, settings.where, keys, wall=time.time)


def _nats(settings: SinkSettings, config: Callable[[], Config]) -> "Sink":
    servers = nats_servers(settings, config)
    from privstream.outputs.sinks.nats import NatsSink  # noqa: PLC0415

    return NatsSink(
        servers.addresses,
        servers.prefix,
        settings.where,
        access=servers.access,
        tls=servers.tls,
    )


class NatsServers(Struct, frozen=True):
    """Where and how to reach NATS, secrets fetched."""

    addresses: Sequence[str]
    prefix: str
    """Of all subjects."""
    access: "Access"
    tls: ssl.SSLContext | None


def nats_servers(settings: SinkSettings, config: Callable[[], Config]) -> NatsServers:
    """What a URL and the settings beside it mean. Raises ConfigError and UsageError."""
    try:
        from privstream.outputs.sinks.nats_client import Access  # noqa: PLC0415
    except ImportError:
        raise ConfigError("NATS needs the extra `nats`", "pip install 'privstream[nats]'") from None
    parts = urlsplit(settings.url)
    prefix = parts.path.strip("/") or "privstream"
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(f"{settings.scheme}: the path is the prefix of subjects: words and dots")
    own: dict[str, Any] = {
        key: _revealed(settings, key, config) if key in {"password", "token"} else value
        for key, value in settings.settings.items()
        if not key.startswith(("ca_", "client_"))
    }
    return NatsServers(
        [f"nats://{server}" for server in parts.netloc.split(",")],
        prefix,
        Access(**own),
        _context(settings) if settings.scheme == "tls" else None,
    )


def _redis(settings: SinkSettings, config: Callable[[], Config]) -> "Sink":
    try:
        from privstream.outputs.sinks.redis import Access, RedisSink  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "Redis needs the extra `redis`", "pip install 'privstream[redis]'"
        ) from None
    parts = urlsplit(settings.url)
    database = parts.path.strip("/") or "0"
    if not (database.isascii() and database.isdigit()) or len(database) > MAX_DIGITS:
        raise UsageError(f"{settings.scheme}: the path is the number of a database, like /0")
    own: dict[str, Any] = {**settings.settings}
    if "password" in own:
        own["password"] = _revealed(settings, "password", config)
    [stream] = parse_qs(parts.query).get("stream", ["privstream.{account}"])[-1:]
    return RedisSink(
        parts.hostname or "",
        parts.port or 6379,
        int(database),
        stream=stream,
        where=settings.where,
        access=Access(**own),
        tls=settings.scheme == "rediss",
    )


def _revealed(settings: SinkSettings, key: str, config: Callable[[], Config]) -> str:
    origin = cast("Origin", settings.settings[key])
    return resolve(origin, f"{settings.section} {key}", config().environment).reveal()


def _keys(settings: SinkSettings, config: Callable[[], Config]) -> Sequence[bytes]:
    from privstream.outputs.sinks.webhook import signing_key  # noqa: PLC0415

    whose = f"{settings.section} secret"
    keys = []
    for origin in cast("Sequence[Origin]", settings.settings.get("secret", ())):
        secret = resolve(origin, whose, config().environment)
        try:
            keys.append(signing_key(secret.reveal()))
        except ValueError as problem:
            raise ConfigError(f"{whose} {problem}") from None
    return keys


def _connector(settings: SinkSettings) -> Callable[[], HTTPConnection]:
    parts = urlsplit(settings.url)
    host, port, timeout = parts.hostname or "", parts.port, settings.timeout
    if settings.scheme == "http":
        return lambda: HTTPConnection(host, port, timeout=timeout)
    context = _context(settings)
    proxy = proxy_for(host)
    if proxy is None:
        return lambda: HTTPSConnection(host, port, timeout=timeout, context=context)
    headers = {}
    if proxy.username:
        login = f"{proxy.username}:{proxy.password or ''}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(login).decode()}"

    def tunnel() -> HTTPConnection:
        connection = HTTPSConnection(proxy.host, proxy.port, timeout=timeout, context=context)
        connection.set_tunnel(host, port, headers)
        return connection

    return tunnel


def _context(settings: SinkSettings) -> ssl.SSLContext:
    context = make_tls_context()
    if ca_file := cast("Path | None", settings.settings.get("ca_file")):
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as problem:
            raise ConfigError(f"{settings.section} ca_file {ca_file}: {problem}") from None
    if own := cast("Path | None", settings.settings.get("client_cert_file")):
        try:
            context.load_cert_chain(
                own, cast("Path | None", settings.settings.get("client_key_file"))
            )
        except (OSError, ssl.SSLError) as problem:
            raise ConfigError(f"{settings.section} client_cert_file {own}: {problem}") from None
    return context
