"""Which URLs an exchange may be moved to by the config file.

The one rule: without encryption only to this machine, and what this machine is
is read from the URL itself. DNS is not asked: its answer can change after the check.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

_LOOPBACK: Final = IPv4Network("127.0.0.0/8")
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*")


def read_url(key: str, text: str) -> str:
    """The URL of a setting, `ws_url` or a REST one. Raises ValueError with what is wrong."""
    secure, plain = ("wss", "ws") if key == "ws_url" else ("https", "http")
    parts = _split(text)
    if parts.scheme not in {secure, plain}:
        raise ValueError(f"must begin with {secure}://")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name")
    if not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError("must name a host")
    if "#" in text or (key != "ws_url" and "?" in text):
        raise ValueError("must not hold a query or a fragment")
    if parts.scheme == plain and not is_loopback(parts.hostname or ""):
        raise ValueError(f"must begin with {secure}://, since the host is not this machine")
    return text if key == "ws_url" else text.rstrip("/")


def _split(text: str) -> SplitResult:
    # urlsplit drops line breaks and tabs silently; browsers take a backslash for a slash.
    if not (text.isascii() and text.isprintable()) or " " in text or "\\" in text:
        raise ValueError("must not hold spaces, backslashes or special characters")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        pass
    else:
        return parts
    raise ValueError("is not a URL")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very spelling: 127.x.x.x, ::1 or localhost."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return address in _LOOPBACK
    return address == IPv6Address("::1")
