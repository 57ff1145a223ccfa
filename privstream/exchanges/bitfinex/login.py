"""Reads Bitfinex's answer to the login: what went wrong, and what the key may read.

The one rule: a key that cannot read a channel that was asked for is refused aloud,
since the server would only stay silent.
Source: docs.bitfinex.com/docs/ws-auth (checked 2026-11-30).
"""

from collections.abc import Iterable
from typing import Any

from privstream.exchanges.bitfinex.memory import Memory
from privstream.exchanges.bitfinex.refusals import code_of, error_for
from privstream.exchanges.kit.refusals import NonceRefused
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    Refused,
    Unreachable,
)
from privstream.model.exact import Malformed, decode

NONCE_TRIES = 2
DENIED = frozenset({"0", "false"})
SECTIONS = {"orders": "orders", "trades": "orders", "balances": "wallets", "positions": "positions"}
"""The section of the key's capabilities that each channel needs."""


def said(value: object, otherwise: str) -> str:
    """A text of the exchange, or what stands for it where it is none."""
    return value if isinstance(value, str) and value else otherwise


def error_of(message: dict[str, Any]) -> PrivstreamError:
    """What a message that refuses something means, while we log in."""
    text = said(message.get("msg"), said(message.get("status"), "no reason given"))
    return error_for(code_of(message.get("code")), text, "the login")


def refusal(problem: PrivstreamError, memory: Memory) -> PrivstreamError:
    """The error to raise for a refused login; a refused nonce is tried once more."""
    if isinstance(problem, NonceRefused):
        memory.nonce_refusals += 1
        if memory.nonce_refusals < NONCE_TRIES:
            # REST or another connection of this key may have been faster.
            text = f"{problem.message}; trying once more with a larger one"
            return Unreachable(text, cause="nonce")
    if type(problem) is Refused:
        return LoginRefused(problem.message, "check api_key and api_secret, or make a new key")
    return problem


def check_rights(capabilities: object, channels: Iterable[str]) -> None:
    """Raise PermissionMissing for a channel that the key cannot read."""
    # The documents show them as JSON in a text, real frames as an object.
    sections = _decoded(capabilities) if isinstance(capabilities, str) else capabilities
    if not isinstance(sections, dict):  # what it may read will show
        return
    for channel in channels:
        section = SECTIONS.get(channel, "")
        rights = sections.get(section)
        if isinstance(rights, dict) and str(rights.get("read", 1)).lower() in DENIED:
            raise PermissionMissing(
                f"this Bitfinex key may not read {section}, so there are no {channel}",
                f"give the key the right to read {section}, or name the channels to watch",
            )


def _decoded(text: str) -> object:
    try:
        return decode(text)
    except Malformed:
        return None
