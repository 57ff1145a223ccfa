"""What the simulated exchanges do about faults of their own: tokens, logins, maintenance."""

from typing import Any

import pytest

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator import find, names
from privstream.simulator.base import Answer, Connection, Request, SimulatedExchange
from tests.simulator import bitfinex_desk, desk, indodax_desk, poloniex_desk, zerocap_desk

every_exchange = pytest.mark.parametrize("name", names())
protocols = pytest.mark.parametrize("path", ["/", "/v2"])


def subscribed(kraken: desk.Desk, path: str = "/v2") -> desk.Line:
    line = kraken.dial(path)
    if path == "/v2":
        line.subscribe("executions")
    else:
        line.subscribe_v1("openOrders")
    return line


# --- what is account data --------------------------------------------------------------


DATA = {
    "kraken": [
        '{"channel":"executions","type":"update","data":[],"sequence":1}',
        '{"channel":"balances","type":"snapshot","data":[],"sequence":1}',
        '[[],"openOrders",{"sequence":1}]',
    ],
    "bitfinex": ['[0,"te",[1],7]', '[0,"ws",[]]', '[0,"n",[]]'],
    "poloniex": ['{"channel":"orders","data":[]}', '{"channel":"balances","data":[]}'],
    "indodax": ['{"push":{"channel":"c","pub":{"data":[]}}}'],
    "zerocap": ['{"type":"order","data":{}}', '{"type":"trade","data":{}}'],
}
OTHER = {
    "kraken": ['{"channel":"heartbeat"}', '{"event":"heartbeat"}', '{"method":"pong"}'],
    "bitfinex": ['[0,"hb",7]', '{"event":"auth","status":"OK"}'],
    "poloniex": [
        '{"event":"pong"}',
        '{"channel":"auth","data":{"success":true}}',
        '{"event":"subscribe","channel":"orders"}',
    ],
    "indodax": ["{}", '{"id":1,"connect":{}}\n{}'],
    "zerocap": ['{"type":"message","message":"pong"}'],
}


def simulated(name: str) -> SimulatedExchange:
    return find(name)(seed=1, rate=1.0)


@every_exchange
def test_account_frames_are_told_from_the_rest(name: str) -> None:
    exchange = simulated(name)
    assert [exchange.without_data(text) for text in DATA[name]] == [None] * len(DATA[name])
    assert [exchange.without_data(text) for text in OTHER[name]] == OTHER[name]


class Unhelpful(SimulatedExchange):
    """An exchange that says nothing about faults."""

    name = "unhelpful"

    def __init__(self, *, seed: int, rate: float, limits: bool = True) -> None:
        """It has no life."""

    def account(self, base_url: str, options: Any) -> Any:
        raise AssertionError(base_url, options)

    def request(self, request: Request, now: Now) -> Answer:
        raise AssertionError(request, now)

    def connect(self, handshake: Request, now: Now) -> Connection | Answer:
        raise AssertionError(handshake, now)


def test_an_exchange_need_not_know_of_faults() -> None:
    exchange = Unhelpful(seed=1, rate=1.0)
    assert exchange.without_data("anything") is None
    assert not exchange.expire(desk.START)
    assert not exchange.refuse("key")
    assert not exchange.maintenance(on=True)
    assert exchange.goodbye.code == 1012


# --- tokens ----------------------------------------------------------------------------


def test_kraken_knows_no_token_any_more_and_gives_out_new_ones() -> None:
    kraken = desk.Desk()
    token = kraken.token()
    assert kraken.kraken.expire(kraken.now)
    (refused,) = kraken.dial().subscribe("executions", token)
    assert refused["error"] == "ESession:Invalid session"
    assert kraken.dial().subscribe("executions")[0]["success"] is True


def test_indodax_closes_sockets_of_expired_tokens_and_answers_109() -> None:
    indodax = indodax_desk.Desk()
    token, _ = indodax.login()
    line = indodax.stream()
    assert indodax.indodax.expire(indodax.now)
    line.listen(0.25)
    assert line.ended == (3005, "connection expired")
    (reply,) = indodax.dial().say({"connect": {"token": token}, "id": 1})
    assert reply["error"] == {"code": 109, "message": "token expired"}


def test_a_token_of_the_same_second_is_a_living_one() -> None:
    indodax = indodax_desk.Desk()
    before, _ = indodax.login()
    indodax.indodax.expire(indodax.now)
    after, _ = indodax.login()
    assert after != before
    assert indodax.stream().listen(1)


def test_an_expired_token_does_not_refresh() -> None:
    indodax = indodax_desk.Desk()
    line, (token, _) = indodax.stream(), indodax.login()
    indodax.indodax.expire(indodax.now)
    line.say({"refresh": {"token": token}, "id": 3})
    assert line.ended == (3005, "connection expired")


@pytest.mark.parametrize("name", ["bitfinex", "poloniex", "zerocap"])
def test_where_there_are_no_tokens_nothing_expires(name: str) -> None:
    assert not simulated(name).expire(desk.START)


# --- logins ----------------------------------------------------------------------------


def test_kraken_refuses_a_nonce_once_and_a_key_for_good() -> None:
    kraken = desk.Desk()
    assert kraken.kraken.refuse("nonce")
    assert kraken.error("GetWebSocketsToken") == "EAPI:Invalid nonce"
    assert kraken.token()
    kraken.kraken.refuse("key")
    assert [kraken.error("GetWebSocketsToken") for _ in range(2)] == ["EAPI:Invalid key"] * 2
    kraken.kraken.refuse(None)
    assert kraken.token()


def test_bitfinex_refuses_a_nonce_once_and_a_key_for_good() -> None:
    bitfinex = bitfinex_desk.Desk(limits=False)
    bitfinex.bitfinex.refuse("nonce")
    assert bitfinex.dial().log_in()[0]["code"] == 10114
    assert bitfinex.logged_in()
    bitfinex.bitfinex.refuse("key")
    assert bitfinex.dial().log_in()[0]["msg"] == "apikey: invalid"
    assert bitfinex.error("r/wallets") == [10100, "apikey: invalid"]
    bitfinex.bitfinex.refuse(None)
    assert bitfinex.logged_in()


def test_indodax_fails_once_and_refuses_a_key_for_good() -> None:
    indodax = indodax_desk.Desk()
    indodax.indodax.refuse("nonce")
    token, _ = indodax.login()
    (reply,) = indodax.dial().say({"connect": {"token": token}, "id": 1})
    assert reply["error"] == {"code": 100, "message": "internal server error", "temporary": True}
    assert indodax.stream()
    indodax.indodax.refuse("key")
    body = f"client=tapi&tapi_key={indodax.key}"
    answer = indodax.post(indodax_desk.TOKEN, body)
    assert (answer["success"], answer["error_code"]) == (0, "invalid_credentials")
    assert indodax.call("getInfo")["error_code"] == "invalid_credentials"
    assert indodax.get("myTrades", 401, symbol="btcidr")["code"] == 1001
    indodax.indodax.refuse(None)
    assert indodax.stream()


def test_poloniex_refuses_once_or_for_good() -> None:
    poloniex = poloniex_desk.Desk()
    poloniex.poloniex.refuse("nonce")
    busy = poloniex.poloniex.connect(Request("GET", "/ws/private", "", {}), poloniex.now)
    assert isinstance(busy, Answer)
    assert busy.status == 503
    assert poloniex.enter()
    poloniex.poloniex.refuse("key")
    assert poloniex.dial().log_in()["message"] == "Authentication failed!"
    assert [poloniex.dial().log_in()["success"] for _ in range(2)] == [False, False]
    assert poloniex.refusal("/accounts/balances")[0] == 401
    poloniex.poloniex.refuse(None)
    assert poloniex.enter()


def test_zerocap_refuses_once_or_for_good() -> None:
    zerocap = zerocap_desk.Desk()
    zerocap.zerocap.refuse("nonce")
    busy = zerocap.connect()
    assert isinstance(busy, Answer)
    assert busy.status == 503
    assert zerocap.get("get_balances")
    zerocap.zerocap.refuse("key")
    assert zerocap.dial().close is not None
    assert zerocap.ask("GET", "/v2/orders/get_balances").status == 401
    zerocap.zerocap.refuse(None)
    assert zerocap.stream("order")


# --- maintenance -----------------------------------------------------------------------


def system(frame: Any) -> str:
    """What either protocol's greeting says of the platform."""
    return str(frame["status"] if "event" in frame else frame["data"][0]["system"])


@protocols
def test_kraken_announces_maintenance_and_tells_afterwards_what_happened(path: str) -> None:
    kraken = desk.Desk(rate=20.0)
    line = subscribed(kraken, path)
    assert kraken.kraken.maintenance(on=True)
    first, *rest = line.listen(3)
    assert system(first) == "maintenance"
    assert {f.get("channel", f.get("event")) for f in rest} == {"heartbeat"}
    assert kraken.error("GetWebSocketsToken") == "EService:Unavailable"
    kraken.kraken.maintenance(on=False)
    again, *news = line.listen(0.25)
    assert system(again) == "online"
    assert len(news) > 20
    assert kraken.token()


@protocols
def test_kraken_greets_with_maintenance_and_takes_no_subscription(path: str) -> None:
    kraken = desk.Desk()
    token = kraken.token()
    kraken.kraken.maintenance(on=True)
    line = kraken.dial(path)
    assert system(exact.decode(line.texts[0])) == "maintenance"
    name = "executions" if path == "/v2" else "openOrders"
    subscribe = line.subscribe if path == "/v2" else line.subscribe_v1
    (refused,) = subscribe(name, token)
    assert "EService:Unavailable" in str(refused)


def test_krakens_public_status_says_maintenance() -> None:
    kraken = desk.Desk()
    request = Request("GET", "/0/public/SystemStatus", "", {})
    assert kraken.ask(request)["result"]["status"] == "online"
    kraken.kraken.maintenance(on=True)
    assert kraken.ask(request)["result"]["status"] == "maintenance"


def test_maintenance_that_was_announced_is_not_announced_again() -> None:
    kraken = desk.Desk()
    line = subscribed(kraken)
    for _ in range(2):
        kraken.kraken.maintenance(on=True)
    told = [f for f in line.listen(1) if f.get("channel") == "status"]
    assert len(told) == 1


def test_bitfinex_announces_the_beginning_and_the_end() -> None:
    bitfinex = bitfinex_desk.Desk()
    line = bitfinex.logged_in()
    assert bitfinex.bitfinex.maintenance(on=True)
    assert line.listen(0.25)[0]["code"] == 20060
    assert bitfinex.error("r/wallets")[1] == "maintenance"
    bitfinex.bitfinex.maintenance(on=False)
    assert line.listen(0.25)[0]["code"] == 20061


def test_poloniex_answers_with_its_maintenance() -> None:
    poloniex = poloniex_desk.Desk()
    line = poloniex.enter()
    assert poloniex.poloniex.maintenance(on=True)
    subscribe = {"event": "subscribe", "channel": ["orders"], "symbols": ["all"]}
    assert line.error(subscribe) == "Platform in maintenance mode"
    assert poloniex.refusal("/accounts/balances") == (503, 503, "Platform in maintenance mode")
    poloniex.poloniex.maintenance(on=False)
    assert poloniex.get("/accounts/balances")


@pytest.mark.parametrize("name", ["indodax", "zerocap"])
def test_where_nothing_is_announced_the_exchange_is_just_down(name: str) -> None:
    exchange = simulated(name)
    assert not exchange.maintenance(on=True)
    assert exchange.goodbye.code == {"indodax": 3001, "zerocap": 1000}[name]


# --- the truth -------------------------------------------------------------------------


@every_exchange
def test_no_fault_changes_what_happens_to_the_account(name: str) -> None:
    def life(*, disturbed: bool) -> list[str]:
        exchange: Any = find(name)(seed=5, rate=20.0)
        now = desk.START
        for tenth in range(200):
            if disturbed and tenth == 20:
                exchange.expire(now)
                exchange.refuse("key")
                exchange.maintenance(on=True)
            now = Now(now.wall_ns + 10**8, now.monotonic + 0.1)
            exchange.request(Request("GET", "/", "", {}), now)
        return list(exchange.market.books.trades)

    assert life(disturbed=True) == life(disturbed=False)
