"""Where events are delivered beside standard output, as the config file or `--to` says.

The one rule: nothing secret is in a URL of the command line, which every user of the computer
can read; and without encryption only this computer is reached.
"""

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from privstream.model.errors import UsageError
from privstream.model.events import TYPES
from privstream.settings.endpoints import is_loopback

SINK_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
SECURE: Final = MappingProxyType({"https": "http", "tls": "nats", "rediss": "redis"})
"""The schemes with encryption, each with its sister without."""
LOCAL: Final = ("file", "sqlite")
SCHEMES: Final = (*LOCAL, *SECURE, *SECURE.values())
DEFAULT_SIZE: Final = 1 << 30
DEFAULT_TIMEOUT: Final = 15.0
_UNITS: Final = MappingProxyType({"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30})
_SIZE: Final = re.compile(r"([0-9]{1,15}) ?([KMG]iB|B|)")
_TIME: Final = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,3})?)s")


class SinkSettings(Struct, frozen=True, kw_only=True):
    """One sink as it was asked for."""

    name: str
    """Under which it keeps its place from run to run."""
    url: str
    accounts: frozenset[str] = frozenset()
    """Empty means all; `types` and `only` likewise."""
    types: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    """Kinds of events: fills, gaps, …"""
    min_value: Mapping[str, Decimal] = MappingProxyType({})
    """By currency: no fill that is worth less."""
    settings: Mapping[str, object] = MappingProxyType({})
    """What only its kind knows: credentials as origins, paths of files."""
    timeout: float = DEFAULT_TIMEOUT
    dead_letter: Path | None = None
    max_size: int = DEFAULT_SIZE
    when_full: Literal["block", "drop_newest"] = "block"

    @property
    def section(self) -> str:
        """What messages call the section of the config file."""
        return f"[sinks.{self.name}]"

    @property
    def scheme(self) -> str:
        return self.url.partition(":")[0]

    @property
    def where(self) -> str:
        """How messages call it: a path may be as secret as a key."""
        if self.scheme in LOCAL:
            return self.url
        return f"{self.scheme}://{urlsplit(self.url).netloc}"


def from_command_line(url: str) -> SinkSettings:
    """A sink that `--to URL` names. Raises UsageError, which quotes no URL."""
    scheme = url.partition(":")[0]
    try:
        check_url(url)
    except ValueError as problem:
        raise UsageError(f"--to {scheme}: {problem}") from None
    # Its place is kept under a name that tells nothing: an address may hold a key.
    digest = hashlib.sha256(url.encode()).hexdigest()[:12]
    return SinkSettings(name=f"{scheme}-{digest}", url=url)


def check_url(url: str) -> None:
    """Raise ValueError, without the URL, where nothing can be delivered there."""
    scheme, _, rest = url.partition(":")
    if scheme in LOCAL:
        if not rest or "\0" in rest:
            raise ValueError(f"names no file: write {scheme}:PATH")
        return
    parts = _split(url)
    if "@" in parts.netloc or parts.password is not None:
        raise ValueError("a URL may hold no name or password: write a [sinks.NAME] section for it")
    if scheme in SECURE.values() and not all(is_loopback(host) for host in _hosts(parts)):
        secure = next(name for name, plain in SECURE.items() if plain == scheme)
        raise ValueError(f"write {secure}://, since the host is not this machine")


def _split(url: str) -> SplitResult:
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise ValueError("a URL has no spaces, backslashes or special characters")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if not all(_hosts(parts)):
        raise ValueError("it names no host")
    return parts


def _hosts(parts: SplitResult) -> list[str]:
    """NATS takes several servers, with commas between."""
    hosts = []
    for server in parts.netloc.split(","):
        try:
            hosts.append(urlsplit(f"//{server}").hostname or "")
        except ValueError:
            hosts.append("")
    return hosts


def size(text: str) -> int:
    """Bytes of a text like `1GiB`. Raises ValueError."""
    found = _SIZE.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError("must be a size like 512MiB or 1GiB")
    return int(found[1]) * _UNITS[found[2]]


def short_time(text: str) -> float:
    """Seconds of a text like `15s`. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if found is None or not float(found[1]):
        raise ValueError("must be a time like 15s")
    return float(found[1])


def known_types(names: frozenset[str]) -> None:
    """Raise ValueError for a type of event that there is not."""
    if unknown := sorted(names - TYPES.keys()):
        raise ValueError(f"{unknown[0]!r} is no type of event; there are {', '.join(TYPES)}")
