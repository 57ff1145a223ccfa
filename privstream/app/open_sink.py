"""Makes a sink of its settings: secrets fetched, trust and proxy as for the exchanges."""

import base64
import ssl
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from privstream.connection.network import proxy_for, tls_context
from privstream.model.errors import ConfigError, UsageError
from privstream.settings.config import Config
from privstream.settings.credentials import Origin, resolve
from privstream.settings.sinks import SinkSettings

if TYPE_CHECKING:  # each only where it is asked for
    from privstream.outputs.sinks.base import Sink


def open_sink(settings: SinkSettings, config: Callable[[], Config]) -> "Sink":
    """The sink, ready to deliver. Raises ConfigError and UsageError."""
    match settings.scheme:
        case "sqlite":
            from privstream.outputs.sinks.sqlite import SqliteSink  # noqa: PLC0415

            return SqliteSink(Path(settings.url.partition(":")[2]).expanduser())
        case "http" | "https":
            return _webhook(settings, config)
    raise UsageError(
        f"this version cannot deliver to {settings.scheme}:",
        "it has file:, sqlite:, http: and https:",
    )


def _webhook(settings: SinkSettings, config: Callable[[], Config]) -> "Sink":
    from privstream.outputs.sinks.webhook import Webhook  # noqa: PLC0415

    parts = urlsplit(settings.url)
    target = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()
    return Webhook(_connector(settings), target, settings.where, _keys(settings, config))


def _keys(settings: SinkSettings, config: Callable[[], Config]) -> Sequence[bytes]:
    from privstream.outputs.sinks.webhook import signing_key  # noqa: PLC0415

    whose = f"[sinks.{settings.name}] secret"
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
    context = tls_context()
    if ca_file := cast("Path | None", settings.settings.get("ca_file")):
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as problem:
            raise ConfigError(f"[sinks.{settings.name}] ca_file {ca_file}: {problem}") from None
    return context
