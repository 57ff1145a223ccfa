"""Stream your own exchange account events: orders, fills, balances, positions.

    from privstream import Trade, watch

    with watch("kraken", ["orders", "trades"]) as events:
        for event in events:
            if isinstance(event, Trade):
                print(event.symbol, event.quantity, event.price, event.fee)

What goes wrong is raised as a `PrivstreamError`. Importing this alone loads nothing.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from privstream.app.library import account as account
    from privstream.app.library import replay as replay
    from privstream.app.library import watch as watch
    from privstream.model.account import Account as Account
    from privstream.model.errors import ConfigError as ConfigError
    from privstream.model.errors import PrivstreamError as PrivstreamError
    from privstream.model.errors import Refused as Refused
    from privstream.model.errors import Unreachable as Unreachable
    from privstream.model.errors import UsageError as UsageError
    from privstream.model.events import AnyEvent as AnyEvent
    from privstream.model.events import Balance as Balance
    from privstream.model.events import Gap as Gap
    from privstream.model.events import Notice as Notice
    from privstream.model.events import Order as Order
    from privstream.model.events import Position as Position
    from privstream.model.events import Price as Price
    from privstream.model.events import Status as Status
    from privstream.model.events import Trade as Trade

_HOMES = {
    "privstream.app.library": ("account", "replay", "watch"),
    "privstream.model.account": ("Account",),
    "privstream.model.errors": (
        *("ConfigError", "PrivstreamError", "Refused", "Unreachable", "UsageError"),
    ),
    "privstream.model.events": (
        *("AnyEvent", "Balance", "Gap", "Notice", "Order", "Position", "Price", "Status", "Trade"),
    ),
}
__all__ = ["__version__", *(name for names in _HOMES.values() for name in names)]  # noqa: PLE0604 - all are texts


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a name where it is used."""
        from importlib import import_module  # noqa: PLC0415 - only then

        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
