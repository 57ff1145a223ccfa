"""What a key may do, as each exchange tells it: pure flows and their answers."""

from collections.abc import Mapping
from typing import Any

import pytest

from privstream import exchanges
from privstream.exchanges.base import Right
from privstream.model.account import Account, Secret
from privstream.model.errors import LoginRefused, Unavailable
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.rest_play import answer, play

SECRETS = {"api_key": Secret("key"), "api_secret": Secret("c2VjcmV0")}


def rights(name: str, answers: Mapping[str, Any], **more: str) -> dict[str, Right]:
    """The rights by name; `answers` are bodies, or body and status, by the name of the call."""
    kind = exchanges.find(name)
    options = {option.name: option.default for option in kind.options} | more
    account = Account(name, name, SECRETS, kind.endpoints(options), options)

    def reply(call: Call, _: HttpRequest) -> HttpResponse:
        told = answers[call.name]
        return answer(*told) if isinstance(told, tuple) else answer(told)

    return {right.name: right for right in play(kind(account).rights_of_key(), reply)}


def held(found: Mapping[str, Right]) -> dict[str, bool | None]:
    return {name: right.held for name, right in found.items()}


KRAKEN_INFO = {
    "error": [],
    "result": {
        "apiKeyName": "watch",
        "apiKey": "key",
        "nonce": "1",
        "nonceWindow": 0,
        "permissions": ["query-funds", "query-open-trades", "create-ws-token", "withdraw-funds"],
        "iban": "AA00",
        "validUntil": "0",
        "ipAllowlist": [],
    },
}
DENIED = {"error": ["EGeneral:Permission denied"]}


def test_kraken_lists_the_permissions_of_a_key() -> None:
    found = rights("kraken", {"GetApiKeyInfo": KRAKEN_INFO})
    assert held(found) == {
        "Access WebSockets API": True,
        "Query funds": True,
        "Query open orders & trades": True,
        "Query closed orders & trades": False,
        "Create & modify orders": False,
        "Cancel & close orders": False,
        "Withdraw funds": True,
        "Add withdrawal addresses": False,
        "Update withdrawal addresses": False,
    }
    assert found["Withdraw funds"].use == "withdraw"
    assert set(exchanges.find("kraken").rights) <= found.keys()


def test_where_kraken_has_no_such_call_each_right_is_tried_by_a_harmless_one() -> None:
    found = rights(
        "kraken",
        {
            "GetApiKeyInfo": {"error": ["EGeneral:Unknown method"]},
            "BalanceEx": {"error": [], "result": {}},
            "OpenOrders": {"error": [], "result": {"open": {}}},
            "ClosedOrders": DENIED,
        },
    )
    assert held(found) == {
        "Query funds": True,
        "Query open orders & trades": True,
        "Query closed orders & trades": False,
        "Create & modify orders": None,
        "Cancel & close orders": None,
        "Withdraw funds": None,
        "Add withdrawal addresses": None,
        "Update withdrawal addresses": None,
    }


def test_a_refused_key_is_not_tried_again() -> None:
    with pytest.raises(LoginRefused):
        rights("kraken", {"GetApiKeyInfo": {"error": ["EAPI:Invalid key"]}})


def test_an_answer_without_permissions_is_no_answer() -> None:
    with pytest.raises(Unavailable):
        rights("kraken", {"GetApiKeyInfo": {"error": [], "result": {"apiKey": "key"}}})


def test_bitfinex_lists_sections_with_reading_and_writing() -> None:
    rows = [["orders", 1, 1], ["wallets", 1, 0], ["positions", 0, 0], ["withdraw", 0, 1]]
    found = rights("bitfinex", {"auth/r/permissions": [*rows, ["ui_new", 1, 1], 7, ["x"]]})
    assert {name for name, right in found.items() if right.held} == {
        "orders: read",
        "wallets: read",
        "orders: write",
        "withdraw: write",
    }
    assert found["orders: write"].use == "trade"
    assert found["withdraw: write"].use == "withdraw"
    assert set(exchanges.find("bitfinex").rights) <= found.keys()


def test_poloniex_tells_only_of_reading() -> None:
    call = "GET /accounts/balances"
    assert held(rights("poloniex", {call: []})) == {"Read": True, "Trade": None, "Withdraw": None}
    refused = {"code": 403, "message": "Permission denied"}
    found = rights("poloniex", {call: (refused, 403)})
    assert found["Read"].held is False
    assert "Permission denied" in str(found["Read"].refusal)


WRONG_VERSION = ({"code": -2015, "msg": "Invalid TAPI version key"}, 403)


def test_indodax_tells_only_of_viewing_of_a_key_of_the_older_kind() -> None:
    balances = {"success": 1, "return": {"balance": {}, "balance_hold": {}}}
    found = rights("indodax", {"account": WRONG_VERSION, "getInfo": balances})
    assert held(found) == {"view": True, "trade": None, "withdraw": None}
    assert found["view"].kind == "TAPI v1"
    refused = {"success": 0, "error": "No permission", "error_code": "no_permission"}
    assert rights("indodax", {"getInfo": refused}, api="v1")["view"].held is False


def test_indodax_says_what_a_key_of_tapi_v2_may() -> None:
    account = {"balances": [], "canTrade": True, "canWithdraw": False, "uid": 1700000001}
    found = rights("indodax", {"account": account})
    assert held(found) == {"Reading": True, "Spot trading": True, "Withdrawal": False}
    assert found["Reading"].kind == "TAPI v2"
    for api in ("auto", "v2"):
        refused = ({"code": -2015, "msg": "No permission.\n\nIP not allowed."}, 403)
        (right,) = rights("indodax", {"account": refused}, api=api).values()
        assert (right.name, right.held) == ("Reading", False)
        assert "addresses" in (right.hint or "")


def test_zerocap_tells_of_reading_and_of_an_address_that_is_not_allowed() -> None:
    orders = {"order_list": [], "status": "success", "total": 0, "page": 1}
    good = {"get_balances": {"status": "successful"}, "fetch_orders": orders}
    assert held(rights("zerocap", good)) == {
        "reading balances": True,
        "reading orders": True,
        "placing orders": None,
        "withdrawals": None,
    }
    refused = ("Unauthorized IP address.", 401)
    found = rights("zerocap", {"get_balances": refused, "fetch_orders": refused})
    assert found["reading balances"].held is False
    assert "add this computer's IP address" in str(found["reading balances"].hint)
