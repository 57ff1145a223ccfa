"""Finds the number and the time of a Bitfinex frame.

The one rule: both are read by their position after the payload, never from the end.
Source: docs.bitfinex.com, WebSocket v2, sequencing and timestamp flags (checked 2026-11-20).
"""

from typing import Any

from privstream.model.times import from_millis

_EARLIEST = 10**12  # milliseconds: a server time, and never a sequence number


def numbers(message: list[Any]) -> tuple[int | None, str | None]:
    """The sequence number and the server's time of an array frame, where it has them."""
    if message[0] != 0 or message[1] == "hb":  # no payload, or no word before it
        return _number(message, 2), _server_time(message, 3)
    # A second number, the account's, stands between them, but not where a request is answered.
    return _number(message, 3), _server_time(message, 4 if _answers_request(message) else 5)


def _answers_request(message: list[Any]) -> bool:
    payload = message[2]
    if message[1] != "n" or not isinstance(payload, list):
        return False
    return any(str(kind).endswith("-req") for kind in payload[1:2])


def _number(message: list[Any], index: int) -> int | None:
    value = message[index] if index < len(message) else None
    return value if type(value) is int and 0 <= value < _EARLIEST else None


def _server_time(message: list[Any], index: int) -> str | None:
    value = message[index] if index < len(message) else None
    return from_millis(value) if type(value) is int and value >= _EARLIEST else None
