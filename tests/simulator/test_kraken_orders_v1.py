"""Orders over Kraken's WebSocket v1, where everything is text."""

from typing import Any

import pytest

from privstream.model import exact
from tests.simulator.desk import Desk, Line

LIMIT = {
    "ordertype": "limit",
    "type": "sell",
    "pair": "ETH/EUR",
    "volume": "0.50000000",
    "price": "3000.50",
}
MARKET = {"ordertype": "market", "type": "buy", "pair": "ETH/EUR", "volume": "0.5"}
STOP = LIMIT | {"ordertype": "stop-loss-limit", "price": "2800", "price2": "2790"}
TRAILING = MARKET | {"ordertype": "trailing-stop", "type": "sell", "price": "+5%"}
INVALID = "EGeneral:Invalid arguments:"


class Client:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.token = desk, desk.token()
        self.line: Line = desk.dial("/")
        self.line.subscribe_v1("openOrders")

    def call(self, event: str, **fields: Any) -> list[Any]:
        frames = self.line.say({"event": event, "token": self.token, "reqid": 3, **fields})
        return [frame for frame in frames if isinstance(frame, dict)]

    def add(self, order: dict[str, str], **changes: Any) -> dict[str, Any]:
        (reply,) = self.call("addOrder", **(order | changes))
        return dict(reply)

    def told(self, order: dict[str, str], **changes: Any) -> dict[str, Any]:
        """The first frame of a new order."""
        before = len(self.line.texts)
        order_id = self.add(order, **changes)["txid"]
        for text in self.line.texts[before + 1 :]:
            frame = exact.decode(text)
            fields = dict(frame[0][0]).get(order_id) if isinstance(frame, list) else None
            if fields:
                assert fields["status"] == "pending"
                return dict(fields)
        raise AssertionError(order_id)


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk(rate=2.0, limits=False)


@pytest.fixture
def client(desk: Desk) -> Client:
    for order_id in list(desk.kraken.market.own.open):
        desk.kraken.market.cancel(order_id, desk.now)
    return Client(desk)


def test_the_reply_names_the_order_and_describes_it(client: Client) -> None:
    reply = client.add(LIMIT, cl_ord_id="mine-1")
    assert len(reply.pop("txid")) == 19
    assert reply == {
        "event": "addOrderStatus",
        "reqid": 3,
        "status": "ok",
        "descr": "sell 0.50000000 ETHEUR @ limit 3000.50",
        "cl_ord_id": "mine-1",
    }


def test_a_validated_order_has_no_id(client: Client) -> None:
    before = client.desk.kraken.market.position
    reply = client.add(LIMIT, price="#5%", validate="true")
    assert reply["status"] == "ok"
    assert reply["descr"] == "sell 0.50000000 ETHEUR @ limit 3015.02"
    assert "txid" not in reply
    assert client.desk.kraken.market.position == before


def test_what_an_order_was_given_comes_back(client: Client) -> None:
    cases: list[tuple[dict[str, str], dict[str, str], dict[str, Any]]] = [
        (LIMIT, {}, {"vol": "0.50000000", "timeinforce": "GTC", "oflags": "fciq", "userref": 0}),
        (LIMIT, {"userref": "-4711"}, {"userref": -4711}),
        (LIMIT, {"oflags": "fcib,post"}, {"oflags": "fcib,post"}),
        (
            MARKET,
            {"oflags": "viqc", "volume": "500"},
            {"oflags": "fciq,viqc", "vol": "500.00000000"},
        ),
        (MARKET, {"oflags": "nompp"}, {"oflags": "fciq,nompp"}),
        (LIMIT, {"timeinforce": "IOC"}, {"timeinforce": "IOC"}),
        (
            LIMIT,
            {"timeinforce": "GTD", "expiretm": "1780009999"},
            {"timeinforce": "GTD", "expiretm": "1780009999.000000"},
        ),
        (LIMIT, {"starttm": "1780009999"}, {"starttm": "1780009999.000000"}),
    ]
    for order, changes, fields in cases:
        told = client.told(order, **changes)
        assert {name: told[name] for name in fields} == fields


def test_its_prices_are_in_its_description(client: Client) -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        (LIMIT, {}, {"price": "3000.50000", "price2": "0.00000", "leverage": None, "close": None}),
        (LIMIT, {"price": "+100"}, {"price": "2971.45000"}),
        (LIMIT, {"price": "#10%"}, {"price": "3158.59000"}),
        (LIMIT, {"leverage": "2"}, {"leverage": "2:1"}),
        (LIMIT, {"margin": True}, {"leverage": "3:1"}),
        (STOP, {}, {"price": "2800.00000", "price2": "2790.00000", "pair": "ETH/EUR"}),
        (STOP, {"price": "-2%", "price2": "-10"}, {"price": "2814.02000", "price2": "2804.02000"}),
        (TRAILING, {}, {"ordertype": "trailing-stop", "price": "+5.00000%"}),
        (
            TRAILING,
            {"ordertype": "trailing-stop-limit", "price": "+50", "price2": "-1"},
            {"price": "+50.00000", "price2": "-1.00000"},
        ),
        (
            LIMIT,
            {
                "close[ordertype]": "stop-loss-limit",
                "close[price]": "3100",
                "close[price2]": "3110",
            },
            {"close": "close position @ stop loss limit 3100.00000 -> limit 3110.00000"},
        ),
    ]
    for order, changes, described in cases:
        descr = client.told(order, **changes)["descr"]
        assert {name: descr[name] for name in described} == described


def test_the_conditional_close_is_told_field_by_field(client: Client) -> None:
    told = client.told(LIMIT, **{"close[ordertype]": "limit", "close[price]": "2500"})
    assert told["contingent"] == {
        "ordertype": "limit",
        "price": "2500.00000",
        "price2": "0.00000",
        "oflags": "fciq",
    }


def test_times_may_be_seconds_from_now(client: Client) -> None:
    told = client.told(LIMIT, starttm="+60", expiretm="+90")
    start = client.desk.now.wall_ns // 1000 + 60_000_000
    assert told["starttm"] == f"{start // 10**6}.{start % 10**6:06d}"
    assert told["timeinforce"] == "GTD"


def test_what_kraken_refuses_is_refused_in_its_words(client: Client) -> None:
    cases: list[tuple[dict[str, str], dict[str, Any], str | None]] = [
        (LIMIT, {"volume": 0.5}, INVALID + "volume"),
        (LIMIT, {"price": 3000}, INVALID + "price"),
        (LIMIT, {"volume": "1e3"}, INVALID + "volume"),
        (LIMIT, {"margin": "true"}, INVALID + "margin"),
        (LIMIT, {"validate": False}, INVALID + "validate"),
        (LIMIT, {"reqid": "3"}, None),
        (LIMIT, {"displayvol": "0.1"}, INVALID + "displayvol"),
        (LIMIT, {"ordertype": "iceberg"}, INVALID + "ordertype"),
        (LIMIT, {"type": "Sell"}, INVALID + "type"),
        (LIMIT, {"pair": "BTC/EUR"}, "EQuery:Unknown asset pair"),
        (LIMIT, {"pair": "ETHEUR"}, "EQuery:Unknown asset pair"),
        (LIMIT, {"timeinforce": "gtc"}, INVALID + "timeinforce"),
        (LIMIT, {"timeinforce": "FOK"}, INVALID + "timeinforce"),
        (LIMIT, {"timeinforce": "GTD"}, INVALID + "expire_time"),
        (LIMIT, {"expiretm": "tomorrow"}, INVALID + "expiretm"),
        (LIMIT, {"oflags": "post,what"}, INVALID + "oflags"),
        (LIMIT, {"oflags": "fcib,fciq"}, INVALID + "oflags"),
        (LIMIT, {"oflags": "viqc"}, INVALID + "volume"),
        (MARKET, {"oflags": "post"}, INVALID + "post_only"),
        (LIMIT, {"leverage": "7"}, INVALID + "leverage"),
        (LIMIT, {"userref": "me"}, INVALID + "userref"),
        (LIMIT, {"userref": "1", "cl_ord_id": "a"}, INVALID + "cl_ord_id and userref"),
        (LIMIT, {"price": "5%"}, "EOrder:Invalid price:Invalid price argument"),
        (LIMIT, {"price": "dear"}, "EOrder:Invalid price:Invalid price argument"),
        (LIMIT, {"price2": "1"}, INVALID + "price2"),
        (STOP, {"price2": "0"}, INVALID + "price2"),
        (TRAILING, {"price": "2800"}, INVALID + "price"),
        (TRAILING, {"price": "-5%"}, INVALID + "price"),
        (LIMIT, {"close[price]": "1"}, INVALID + "close[ordertype]"),
        (
            LIMIT,
            {"price": "3000.505"},
            "EOrder:Invalid price:ETH/EUR price can only be specified up to 2 decimals.",
        ),
        (LIMIT, {"volume": "0.001"}, "EOrder:Order minimum not met"),
        (LIMIT, {"volume": "900"}, "EOrder:Insufficient funds"),
        (LIMIT, {"price": "2800", "oflags": "post"}, "EOrder:Post only order"),
        (LIMIT, {"sender_sub_id": "desk"}, INVALID + "sender_sub_id"),
        (LIMIT, {"stp_type": "cancel-newest"}, INVALID + "stp_type"),
        (LIMIT, {"deadline": "now"}, INVALID + "deadline"),
        (LIMIT, {"deadline": "2026-05-28T20:00:00Z"}, INVALID + "deadline"),
        (
            STOP,
            {"ordertype": "trailing-stop-limit", "price": "+5", "price2": "#5"},
            "EOrder:Invalid price:Invalid price argument",
        ),
        (
            STOP,
            {"ordertype": "trailing-stop-limit", "price": "+5", "price2": "5"},
            INVALID + "price2",
        ),
        (LIMIT, {"token": "stale"}, "ESession:Invalid session"),
    ]
    for order, changes, error in cases:
        reply = client.add(order, **changes)
        assert reply["status"] == "error"
        assert reply["errorMessage"] == (error or "Malformed request")
        assert not client.desk.kraken.market.own.open


def test_each_canceled_order_has_a_reply_that_does_not_name_it(client: Client) -> None:
    one = client.add(LIMIT)["txid"]
    client.add(LIMIT, userref="77")
    client.add(LIMIT, cl_ord_id="mine")
    replies = client.call("cancelOrder", txid=[one, "OAAAAA-AAAAA-AAAAAA", "77"])
    ok = {"event": "cancelOrderStatus", "reqid": 3, "status": "ok"}
    assert replies == [
        ok,
        {**ok, "status": "error", "errorMessage": "EOrder:Unknown order"},
        ok,
    ]
    assert client.call("cancelOrder", cl_ord_id=["mine"]) == [ok]
    assert not client.desk.kraken.market.own.open
    (malformed,) = client.call("cancelOrder", txid=one)
    assert malformed["errorMessage"] == "Malformed request"


def test_all_are_canceled_at_once(client: Client) -> None:
    client.add(LIMIT)
    client.add(STOP)
    standing = len(client.desk.result("OpenOrders")["open"])
    assert client.call("cancelAll")[0] == {
        "event": "cancelAllStatus",
        "reqid": 3,
        "status": "ok",
        "count": standing,
    }
    assert not client.desk.result("OpenOrders")["open"]


@pytest.mark.parametrize("price", ["+5%", "+50"])
def test_the_limitprice_of_a_trailing_stop_is_the_markets_peak(client: Client, price: str) -> None:
    fields = client.told(TRAILING, price=price)
    assert abs(float(fields["limitprice"]) - 2871.45) < 0.02
    assert float(fields["stopprice"]) < 2871.45
