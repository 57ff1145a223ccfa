"""What all doors of the simulated Bitfinex share: the account, its key, and how the platform is."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from privstream.simulator.bitfinex.keys import BitfinexRefused, Keys
from privstream.simulator.bitfinex.margin import Margin
from privstream.simulator.bitfinex.tape import Tape
from privstream.simulator.bitfinex.wallets import Wallets
from privstream.simulator.market import Market

STOPPING, MAINTENANCE, RESUMED = 20051, 20060, 20061
SAYINGS = {
    STOPPING: "Stopping. Please try to reconnect",
    MAINTENANCE: "Entering in Maintenance mode. Please pause any activity and resume after receiving"
    " the info message 20061 (it should take 120 seconds at most).",
    RESUMED: "Maintenance ended. You can resume normal activity. It is advised to"
    " unsubscribe/subscribe again all channels.",
}


class Platform:
    """Whether the platform works, and what every socket is told of it."""

    def __init__(self) -> None:
        self._said: list[dict[str, Any]] = []
        self.operative = True
        """How often all positions, wallets and orders were told anew on open sockets."""

    def announce(self, code: int, text: str | None = None) -> None:
        """Tell every socket; maintenance begins with 20060 and ends with 20061.

        May be called from any thread: it only appends and sets.
        """
        if code in {MAINTENANCE, RESUMED}:
            self.operative = code == RESUMED
        message = {"event": "info", "code": code, "msg": text or SAYINGS.get(code, "")}
        self._said.append(message)

    @property
    def said(self) -> int:
        return len(self._said)

    def since(self, said: int) -> Sequence[dict[str, Any]]:
        return self._said[said:]

    def check(self) -> None:
        if not self.operative:
            raise BitfinexRefused(MAINTENANCE, "maintenance")


class Backend(Struct, frozen=True):
    """One account behind all doors."""

    market: Market
    margin: Margin
    wallets: Wallets
    tape: Tape
    keys: Keys
    platform: Platform
    limits: bool
    odd: bool = False
    """Sockets tell some rows with odd values."""
