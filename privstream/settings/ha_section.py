"""The [ha] section of the config file: what several hosts of one service share.

The one rule: what all hosts must agree on is in it, and nothing that differs between them.
"""

import re
from typing import Final

from privstream.settings.config import Table
from privstream.settings.sink_sections import NATS_KEYS, checked, own_settings, parsed
from privstream.settings.sinks import SinkSettings, check_url, short_time

KEYS: Final = ("url", "stream", "bucket", "ttl", "replicas", *NATS_KEYS)
SCHEMES: Final = ("nats", "tls")
SHORTEST, LONGEST = 3.0, 600.0
"""Seconds: a shorter one ends whenever the engine elects a leader."""
REPLICAS: Final = (1, 3, 5)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class HaSettings(SinkSettings, frozen=True, kw_only=True):
    """The engine that the hosts share; credentials and files as of a sink."""

    stream: str = "PRIVSTREAM"
    bucket: str = "privstream_leases"
    ttl: float = 20.0
    replicas: int = 3

    @property
    def section(self) -> str:
        return "[ha]"


def read_ha(table: Table) -> HaSettings:
    """The settings of the [ha] table. Raises ConfigError."""
    table.check_keys(KEYS)
    if "url" not in table.values:
        raise table.wrong(
            "url", "is missing", 'like url = "tls://nats-1:4222,nats-2:4222/privstream"'
        )
    url = table.text("url")
    if url.partition(":")[0] not in SCHEMES:
        raise table.wrong("url", "must begin with tls:// (or nats://, to this machine)")
    checked(table, "url", lambda: check_url(url))
    defaults = HaSettings(name="ha", url=url)
    return HaSettings(
        name="ha",
        url=url,
        settings=own_settings(table, NATS_KEYS),
        stream=parsed(table, "stream", _name, defaults.stream),
        bucket=parsed(table, "bucket", _name, defaults.bucket),
        ttl=parsed(table, "ttl", _ttl, defaults.ttl),
        replicas=_replicas(table, defaults.replicas),
    )


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must have letters, digits, hyphens and underscores only")
    return text


def _ttl(text: str) -> float:
    seconds = short_time(text)
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError(f"must be from {SHORTEST:.0f}s to {LONGEST:.0f}s")
    return seconds


def _replicas(table: Table, default: int) -> int:
    value = table.values.get("replicas", default)
    if isinstance(value, bool) or value not in REPLICAS:
        raise table.wrong("replicas", "must be 1, 3 or 5, without quotes")
    return int(value)
