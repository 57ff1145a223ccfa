"""The server half of every protocol, for demos, tests and people who test their own bots."""

from importlib import import_module
from pkgutil import iter_modules

from privstream.model.errors import UsageError
from privstream.model.nearest import suggestion
from privstream.simulator.base import SimulatedExchange

MACHINERY = frozenset({"base", "faults", "market", "server"})


def names() -> tuple[str, ...]:
    """The exchanges that can be simulated, without importing any."""
    return tuple(sorted(m.name for m in iter_modules(__path__) if m.name not in MACHINERY))


def find(name: str) -> type[SimulatedExchange]:
    """The class of a simulated exchange. Raises UsageError for a name that is none."""
    if name not in names():
        raise UsageError(f"there is no simulated exchange {name!r}", suggestion(name, names()))
    exchange: type[SimulatedExchange] = import_module(f"{__name__}.{name}").SIMULATED
    return exchange
