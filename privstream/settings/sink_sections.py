"""The [sinks.NAME] sections of the config file."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from privstream.model.account import Secret
from privstream.model.choosing import kinds_of, types_of, values_of
from privstream.model.errors import UsageError
from privstream.model.nearest import suggestion
from privstream.settings.config import Table
from privstream.settings.credentials import read_origin
from privstream.settings.plain_names import quoted
from privstream.settings.sinks import (
    DEFAULT_SIZE,
    DEFAULT_TIMEOUT,
    SINK_NAME,
    SinkSettings,
    check_url,
    known_types,
    short_time,
    size,
)

T = TypeVar("T")
NAME_RULE: Final = "a name has 1 to 32 letters, digits, hyphens or underscores"
COMMON: Final = (
    *("url", "accounts", "types", "only", "min_value"),
    *("buffer", "dead_letter", "timeout"),
)
PLACES: Final = ("ca_file", "client_cert_file", "client_key_file", "credentials_file", "nkey_file")
"""Paths of files that only the sink's own library reads."""
SECRETS: Final = ("password", "token")
NATS_KEYS: Final = (*PLACES, "user", *SECRETS)
OWN: Final = MappingProxyType(
    {
        "file": (),
        "sqlite": (),
        "http": ("secret", "ca_file"),
        "nats": NATS_KEYS,
        "redis": ("ca_file", "client_cert_file", "client_key_file", "user", "password"),
    }
)
_FAMILY: Final = MappingProxyType({"https": "http", "tls": "nats", "rediss": "redis"})


def family(scheme: str) -> str:
    """A scheme with encryption takes the settings of its sister without."""
    return _FAMILY.get(scheme, scheme)


def read_sink(sinks: Table, name: str, accounts: Collection[str]) -> SinkSettings:
    """The settings of a [sinks.NAME] table. Raises ConfigError. `accounts`: those there may be."""
    if not SINK_NAME.fullmatch(name):
        raise sinks.wrong(name, "is no name of a sink", NAME_RULE)
    table = sinks.table(name)
    if "url" not in table.values:
        raise table.wrong("url", "is missing", 'like url = "sqlite:/var/lib/privstream/events.db"')
    url = table.text("url")
    scheme = family(url.partition(":")[0])
    if scheme not in OWN:
        raise table.wrong("url", "has no scheme that is known", f"known are: {', '.join(OWN)}")
    checked(table, "url", lambda: check_url(url))
    table.check_keys((*COMMON, *OWN[scheme]))
    types = _words(table, "types")
    checked(table, "types", lambda: known_types(types))
    buffer = table.table("buffer")
    buffer.check_keys(("max_size", "when_full"))
    return SinkSettings(
        name=name,
        url=url,
        accounts=_accounts(table, accounts),
        types=types,
        only=_kinds(table, types),
        min_value=MappingProxyType(_values(table)),
        settings=own_settings(table, OWN[scheme]),
        timeout=parsed(table, "timeout", short_time, DEFAULT_TIMEOUT),
        dead_letter=_path(table, "dead_letter"),
        max_size=parsed(buffer, "max_size", size, DEFAULT_SIZE),
        when_full="drop_newest" if _drops(buffer) else "block",
    )


def _accounts(table: Table, known: Collection[str]) -> frozenset[str]:
    """A misspelt one would be a sink that gets nothing."""
    names = _words(table, "accounts")
    for name in sorted(names):
        if name not in known:
            said = f"names {quoted(name)}, which is no account"
            raise table.wrong("accounts", said, suggestion(name, known))
    return names


def _kinds(table: Table, types: frozenset[str]) -> frozenset[str]:
    only = _words(table, "only")
    try:
        kinds = kinds_of(",".join(only)) if only else only
    except UsageError as problem:
        raise table.wrong("only", "names no kind of events", problem.hint) from None
    if types and kinds and not types & types_of(kinds):
        raise table.wrong("only", "and types leave nothing to deliver")
    return kinds


def _values(table: Table) -> dict[str, Decimal]:
    try:
        return values_of(sorted(_words(table, "min_value")))
    except UsageError as problem:
        raise table.wrong("min_value", "is no list of amounts", problem.hint) from None


def own_settings(table: Table, keys: tuple[str, ...]) -> Mapping[str, Any]:
    """What only its kind knows: credentials as origins, paths of files."""
    found: dict[str, Any] = {}
    for key in keys:
        if key not in table.values:
            continue
        if key in PLACES:
            found[key] = _path(table, key)
        elif key == "user":
            found[key] = table.text(key)
        elif key == "secret":
            found[key] = tuple(_origins(table, key))
        else:
            found[key] = read_origin(table.values[key], table.setting(key))
    return MappingProxyType(found)


def _origins(table: Table, key: str) -> list[Any]:
    """One secret, or two while they are changed."""
    value = table.values[key]
    several = value if isinstance(value, list) else [value]
    if not several:
        raise table.wrong(key, "is empty")
    return [read_origin(one, table.setting(key)) for one in several]


def _path(table: Table, key: str) -> Path | None:
    if key not in table.values:
        return None
    text = table.text(key)
    if not text.startswith("/") or "\0" in text:
        raise table.wrong(key, "must be a path that begins with /")
    return Path(text)


def _words(table: Table, key: str) -> frozenset[str]:
    value = table.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, Secret) for one in value):
        raise table.wrong(key, 'must be a list like ["kraken"]')
    words = frozenset(one.reveal() for one in value)
    if value and "" in words:
        raise table.wrong(key, "holds an empty text")
    return words


def _drops(buffer: Table) -> bool:
    if "when_full" not in buffer.values:
        return False
    word = buffer.text("when_full")
    if word not in {"block", "drop_newest"}:
        raise buffer.wrong("when_full", f"must be block or drop_newest, not {quoted(word)}")
    return word == "drop_newest"


def parsed(table: Table, key: str, parse: Callable[[str], T], default: T) -> T:
    """What a text means. Raises ConfigError where it means nothing."""
    if key not in table.values:
        return default
    text = table.text(key)
    return checked(table, key, lambda: parse(text))


def checked(table: Table, key: str, check: Callable[[], T]) -> T:
    """What comes of it; a ValueError becomes a ConfigError that names the setting."""
    try:
        return check()
    except ValueError as problem:
        raise table.wrong(key, str(problem)) from None
