"""The server half of every protocol, for demos, tests and people who test their own bots."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from privstream.model.errors import UsageError
from privstream.model.nearest import suggestion
from privstream.simulator.base import SimulatedExchange

MACHINERY = frozenset({"base", "faults", "market", "server"})


def names() -> tuple[str, ...]:
    """The exchanges that can be simulated, without importing any."""
    return _names(*__path__)


@cache
def _names(*folders: str) -> tuple[str, ...]:
    return tuple(sorted({module.name for module in iter_modules(folders)} - MACHINERY))


def find(name: str) -> type[SimulatedExchange]:
    """The class of a simulated exchange. Raises UsageError for a name that is none."""
    if name not in names():
        raise UsageError(f"there is no simulated exchange {name!r}", suggestion(name, names()))
    exchange: type[SimulatedExchange] = import_module(f"{__name__}.{name}").SIMULATED
    return exchange
