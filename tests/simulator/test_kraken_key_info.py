"""GetApiKeyInfo of the simulated Kraken: it takes no right, and lists those of the key."""

from tests.simulator.desk import Desk


def test_a_key_without_any_right_may_ask_what_it_may() -> None:
    told = Desk(rights=frozenset()).post("GetApiKeyInfo")
    assert told["error"] == []
    assert told["result"]["permissions"] == []


def test_every_right_is_told_by_its_word() -> None:
    desk = Desk(rights=frozenset({"funds", "websocket", "trade", "cancel", "withdraw"}))
    told = desk.post("GetApiKeyInfo")["result"]
    assert told["permissions"] == [
        "close-trades",
        "create-ws-token",
        "modify-trades",
        "query-funds",
        "withdraw-funds",
    ]
    assert told["apiKey"] == desk.account.api_key.reveal()
    assert told["nonce"] == str(desk.nonce)


def test_times_are_texts_and_the_call_takes_no_argument() -> None:
    desk = Desk()
    told = desk.post("GetApiKeyInfo")["result"]
    for name in ("validUntil", "queryFrom", "queryTo", "createdTime", "modifiedTime"):
        assert told[name].isdecimal()
    assert told["ipAllowlist"] == []
    assert desk.post("GetApiKeyInfo", asset="XBT") == {"error": ["EGeneral:Invalid arguments"]}
