"""Finds an exchange by its name, which is its module's, and imports only that one."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from privstream.exchanges.base import Exchange
from privstream.model.errors import UsageError
from privstream.model.nearest import suggestion

SHARED = frozenset({"base", "kit"})
"""What stands beside the exchanges and is none."""


def names() -> tuple[str, ...]:
    """The exchanges there are, without importing any."""
    return _names(*__path__)


@cache
def _names(*folders: str) -> tuple[str, ...]:
    return tuple(sorted({module.name for module in iter_modules(folders)} - SHARED))


def find(name: str) -> type[Exchange]:
    """The class of an exchange. Raises UsageError for a name that is none."""
    if name not in names():
        raise UsageError(f"there is no exchange {name!r}", suggestion(name, names()))
    exchange: type[Exchange] = import_module(f"{__name__}.{name}").EXCHANGE
    return exchange
