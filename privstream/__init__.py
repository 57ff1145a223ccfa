"""Stream your own exchange account events: orders, fills, balances, positions."""

__version__ = "0.1.0"
