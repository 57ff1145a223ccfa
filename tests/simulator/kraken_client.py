"""Somebody who trades at the simulated Kraken over WebSocket v2, and the orders he places."""

from typing import Any, Self

from tests.simulator.desk import Desk, Line

LATER, EVEN_LATER = "2026-05-28T20:50:00Z", "2026-05-28T21:00:00Z"
PAST, FAR_OFF = "2026-05-28T20:00:00Z", "2026-08-01T00:00:00Z"
LIMIT = {
    "order_type": "limit",
    "side": "buy",
    "symbol": "ETH/EUR",
    "order_qty": 0.5,
    "limit_price": 2000.5,
}
MARKET = {"order_type": "market", "side": "buy", "symbol": "ETH/EUR", "order_qty": 0.5}
STOP = MARKET | {"order_type": "stop-loss", "side": "sell", "triggers": {"price": 2700}}
TRAILING = MARKET | {
    "order_type": "trailing-stop",
    "triggers": {"price": 3.5, "price_type": "pct"},
}
TRAILING_LIMIT = TRAILING | {"order_type": "trailing-stop-limit", "limit_price": 0}


class Client:
    """Somebody with a token, on one socket that tells of executions."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.token = self.desk.token()
        self.line = self.subscribed(snap_orders=False)

    @classmethod
    def alone(cls, desk: Desk) -> Self:
        """With nothing of his open there."""
        for order_id in list(desk.kraken.market.own.open):
            desk.kraken.market.cancel(order_id, desk.now)
        return cls(desk)

    def subscribed(self, channel: str = "executions", **options: Any) -> Line:
        line = self.desk.dial()
        line.subscribe(channel, **options)
        return line

    def call(self, method: str, **params: Any) -> list[Any]:
        message = {"method": method, "params": {"token": self.token, **params}, "req_id": 9}
        return self.line.say(message)

    def add(self, order: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The reply."""
        frames = self.call("add_order", **(order | changes))
        return next(dict(frame) for frame in frames if "method" in frame)

    def placed(self, order: dict[str, Any], **changes: Any) -> str:
        reply = self.add(order, **changes)
        assert reply["success"], reply
        return str(reply["result"]["order_id"])

    def told(self, order: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The first execution of a new order."""
        reply, frame = self.call("add_order", **(order | changes))[:2]
        (element,) = frame["data"]
        assert element["order_id"] == reply["result"]["order_id"]
        assert element["exec_type"] == "pending_new"
        return dict(element)

    def error(self, order: dict[str, Any], **changes: Any) -> str:
        reply = self.add(order, **changes)
        assert (reply["method"], reply["req_id"], reply["success"]) == ("add_order", 9, False)
        assert "result" not in reply
        return str(reply["error"])

    def row(self, order_id: str) -> dict[str, Any]:
        return dict(self.desk.result("QueryOrders", txid=order_id)[order_id])

    def events(self, order_id: str, frames: list[Any]) -> list[Any]:
        elements = [e for f in frames if f.get("channel") == "executions" for e in f["data"]]
        return [e for e in elements if e["order_id"] == order_id]
