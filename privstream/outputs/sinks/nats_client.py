"""Connects to NATS, as the sink and the hosts of one service do.

The one rule: nothing is shown to a server without TLS where TLS was asked for.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError

from privstream.model.errors import ConfigError

CONNECT_LIMIT = 5.0


class Access(Struct, frozen=True, kw_only=True):
    """How to get in; nothing of it ever shows."""

    credentials_file: Path | None = None
    nkey_file: Path | None = None
    user: str | None = None
    password: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return "Access(****)"

    def options(self) -> dict[str, Any]:
        """As the client's `connect` takes them."""
        found = {
            "user_credentials": self.credentials_file and str(self.credentials_file),
            "nkeys_seed": self.nkey_file and str(self.nkey_file),
            "user": self.user,
            "password": self.password,
            "token": self.token,
        }
        return {name: value for name, value in found.items() if value is not None}


class NoTls(Exception):
    """The server offers no encryption where it was asked for."""


class SafeClient(Client):
    """A client that, if it was told so, shows nothing to a server without TLS."""

    needs_tls = False

    def _connect_command(self) -> bytes:
        # The library goes on in plain text with whoever offers nothing else. Here the server has
        # said what it offers, and where it offers TLS the handshake is over.
        if self.needs_tls and not self._server_info.get("tls_required"):
            raise NoTls
        return bytes(super()._connect_command())


async def connected(
    servers: Sequence[str],
    where: str,
    access: Access,
    tls: ssl.SSLContext | None,
    closed: Callable[[], Awaitable[None]] | None = None,
) -> Client:
    """A client that is connected. Raises ConfigError, or what the library raises.

    `where` is what messages call the servers; `closed` is called when the connection is over.
    """
    client = SafeClient()
    client.needs_tls = tls is not None
    # It does not reconnect by itself: then what it holds back would be sent again later, beside us.
    options: dict[str, Any] = {"allow_reconnect": False, "max_reconnect_attempts": 1}
    options |= {"connect_timeout": CONNECT_LIMIT, "reconnect_time_wait": 0.1}
    options |= {"pending_size": 64 << 20}
    options |= {"ping_interval": 5, "max_outstanding_pings": 2, "error_cb": _quietly}
    options |= {"name": "privstream", "tls": tls, "closed_cb": closed}
    try:
        await _connect(client, servers, {**options, **access.options()})
    except NoTls:
        raise ConfigError(
            f"{where} offers no TLS, so nothing was sent to it",
            "switch TLS on there; without it only nats:// to this machine is possible",
        ) from None
    except NatsError as problem:
        if "authorization" not in str(problem).lower():
            raise
        raise ConfigError(
            f"{where} does not let us in", "check the credentials in its section"
        ) from None
    return client


async def _connect(client: Client, servers: Sequence[str], options: dict[str, Any]) -> None:
    connecting = client.connect(list(servers), **options)
    try:
        await asyncio.wait_for(connecting, CONNECT_LIMIT * (len(servers) + 1))
    except BaseException:
        await client.close()
        raise


async def _quietly(problem: Exception) -> None:
    """The next thing asked says what is wrong; the client itself would print a traceback."""
    del problem
