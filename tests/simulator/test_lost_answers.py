"""`swallow`: an order is taken, and its answer is lost on the way."""

import http.client
import json
from contextlib import closing
from functools import cache
from typing import Any

import pytest

from privstream.simulator.base import Answer, Close, Request, Text
from privstream.simulator.faults import Deed, Faults, parse
from privstream.simulator.server import Simulation, system_clock
from privstream.simulator.zerocap import SimulatedZerocap
from tests.simulator.desk import Desk as KrakenDesk
from tests.simulator.kraken_client import LIMIT, MARKET
from tests.simulator.test_zerocap_orders import ORDER
from tests.simulator.zerocap_desk import Desk as ZerocapDesk
from tests.simulator.zerocap_desk import sign


@cache
def shared() -> KrakenDesk:
    """One exchange for all: it takes longer to make up than to trade on."""
    return KrakenDesk(rate=2.0, limits=False)


class Lossy:
    """A socket of the simulated Kraken behind a line that swallows."""

    def __init__(self, *faults: str, path: str = "/v2") -> None:
        self.desk = shared()
        self.before = set(self.desk.kraken.market.own.open)
        self.faults = Faults([parse(fault) for fault in faults], exchange=self.desk.kraken)
        self.faults.begin(self.desk.now)
        self.token = self.desk.token()
        self.faults.due(self.desk.now)
        connection = self.desk.kraken.connect(Request("GET", path, "", {}), self.desk.now)
        assert not isinstance(connection, Answer)
        self.connection, self.line = connection, self.faults.line(self.desk.now)
        connection.opened(self.desk.now)

    def say(self, message: dict[str, Any]) -> list[Deed]:
        outs = self.connection.received(json.dumps(message), self.desk.now)
        return self.faults.through(self.line, outs, self.desk.now)

    def add(self, order: dict[str, Any], **changes: Any) -> list[Any]:
        params = {"token": self.token, **order, **changes}
        return self.say({"method": "add_order", "params": params, "req_id": 1})

    def subscribe(self) -> None:
        params = {"token": self.token, "channel": "executions"}
        self.say({"method": "subscribe", "params": params})

    @property
    def open(self) -> list[str]:
        return [name for name in self.desk.kraken.market.own.open if name not in self.before]


def texts(deeds: list[Deed]) -> list[Any]:
    return [json.loads(deed.text) for deed in deeds if isinstance(deed, Text)]


def test_the_order_is_taken_and_only_the_reply_is_lost() -> None:
    lossy = Lossy("swallow@0s")
    lossy.subscribe()
    told = texts(lossy.add(LIMIT, cl_ord_id="lost"))
    assert [frame.get("channel") for frame in told] == ["executions", "executions"]
    assert told[0]["data"][0]["cl_ord_id"] == "lost"
    assert len(lossy.open) == 1
    assert "method" in texts(lossy.add(LIMIT))[0]
    (begun, swallowed) = lossy.faults.happened
    assert (str(begun.fault), swallowed.note) == ("swallow@0s", "an order call was done")


def test_a_refusal_an_acknowledgement_and_a_validation_are_not_what_is_waited_for() -> None:
    lossy = Lossy("swallow@0s")
    lossy.subscribe()
    assert texts(lossy.add(LIMIT, order_qty=1e-8))[0]["success"] is False
    assert texts(lossy.say({"method": "ping"}))[0]["method"] == "pong"
    assert lossy.add(LIMIT, validate=True)
    assert texts(lossy.add(LIMIT))[0].get("channel") == "executions"


def test_the_connection_can_be_cut_with_it_before_anything_else_is_told() -> None:
    lossy = Lossy("swallow=cut@0s")
    lossy.subscribe()
    assert lossy.add(MARKET) == [Close(1006)]
    newest = list(lossy.desk.books.orders.values())[-1]
    assert (newest.type, newest.status) == ("market", "filled")


def test_so_many_are_swallowed_and_cancellations_too() -> None:
    lossy = Lossy("swallow=3@0s")
    assert lossy.add(LIMIT) == lossy.add(LIMIT) == []
    cancel = {"method": "cancel_all", "params": {"token": lossy.token}}
    assert lossy.say(cancel) == []
    assert lossy.open == []
    assert texts(lossy.say(cancel))[0]["result"] == {"count": 0}


def test_v1_loses_its_replies_as_well() -> None:
    lossy = Lossy("swallow@0s", path="/")
    order = {
        "ordertype": "limit",
        "type": "sell",
        "pair": "ETH/EUR",
        "volume": "1",
        "price": "4000",
    }
    call = {"event": "addOrder", "token": lossy.token, **order}
    assert lossy.say(call) == []
    assert len(lossy.open) == 1
    assert texts(lossy.say(call))[0]["status"] == "ok"


def test_without_the_fault_every_reply_comes() -> None:
    lossy = Lossy("swallow@10s")
    assert texts(lossy.add(LIMIT))[0]["success"] is True


# --- REST ----------------------------------------------------------------------------------


def asked(desk: ZerocapDesk, name: str, **fields: Any) -> Request:
    return Request("POST", f"/v2/orders/{name}", "", desk.headers(), json.dumps(fields).encode())


@pytest.mark.parametrize(("fault", "status"), [("swallow@0s", 504), ("swallow=cut@0s", None)])
def test_over_rest_a_gateway_times_out_or_the_connection_ends(
    fault: str, status: int | None
) -> None:
    desk = ZerocapDesk(rate=2.0)
    faults = Faults([parse(fault)], exchange=desk.zerocap)
    faults.begin(desk.now)
    faults.due(desk.now)

    def ask(request: Request) -> Answer | None:
        return faults.answered(request, desk.zerocap.request(request, desk.now), desk.now)

    before = len(desk.books.orders)
    read = ask(asked(desk, "fetch_orders"))
    refused = ask(asked(desk, "create_order", **(ORDER | {"amount": "0"})))
    assert read is not None
    assert refused is not None
    assert (read.status, refused.status) == (200, 422)
    lost = ask(asked(desk, "create_order", **ORDER))
    assert (lost.status if lost else None) == status
    assert len(desk.books.orders) == before + 1
    told = ask(asked(desk, "create_order", **ORDER))
    assert told is not None
    assert told.status == 200


def test_on_the_wire_the_connection_ends_without_an_answer() -> None:
    with Simulation(["zerocap"], faults={"zerocap": ["swallow=cut@0s"]}) as served:
        account = served.account("zerocap", {})
        timestamp = str(system_clock().wall_ns // 10**9)
        headers = {
            "api-key": account.api_key.reveal(),
            "timestamp": timestamp,
            "signature": sign(account.api_secret.reveal(), timestamp),
            "content-type": "application/json",
        }
        connection = http.client.HTTPConnection(account.endpoints.rest_url[7:], timeout=5)
        body = json.dumps(ORDER)
        with closing(connection):
            connection.request("POST", "/v2/orders/create_order", body, headers)
            with pytest.raises(ConnectionError):
                connection.getresponse()
    zerocap = served.exchanges["zerocap"]
    assert isinstance(zerocap, SimulatedZerocap)
    own = [o for o in zerocap.market.books.orders.values() if o.time_in_force == "fok"]
    assert [order.status for order in own] == ["filled"]
