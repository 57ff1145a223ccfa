"""The [service] section of the config file: what `privstream run` offers to who watches it."""

import re
from typing import Final

from msgspec import Struct

from privstream.settings.config import Table

LOOPBACK: Final = "127.0.0.1"
LAST_PORT: Final = 65535
_ADDRESS: Final = re.compile(r"(?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):)?([0-9]{1,5})", re.ASCII)


class Address(Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ServiceSettings(Struct, frozen=True):
    """The section as it was written."""

    metrics: Address | None = None
    """Of /metrics, /healthz and /livez."""


def read_service(top: Table) -> ServiceSettings:
    """The settings of the [service] table. Raises ConfigError."""
    table = top.table("service")
    table.check_keys(("metrics",))
    if "metrics" not in table.values:
        return ServiceSettings()
    address = address_of(table.text("metrics"))
    if address is None:
        raise table.wrong("metrics", "must be an address", f'like "{LOOPBACK}:9464"')
    return ServiceSettings(address)


def address_of(text: str) -> Address | None:
    """Of `HOST:PORT`; without a host it is this machine alone that can ask."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[2]) > LAST_PORT:
        return None
    return Address((found[1] or LOOPBACK).strip("[]"), int(found[2]))
