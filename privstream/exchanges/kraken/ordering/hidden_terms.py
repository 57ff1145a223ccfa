"""Terms of an order that a row of Kraken's states and the `order` event has no key for.

The one rule: after a lost answer a row whose leverage, closing order, times or fee flag are not
as sent is another order, also where all that the event shows is the same. Pure.
Source: docs.kraken.com/api/docs/rest-api/get-open-orders (checked 2026-11-30).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from privstream.exchanges.kraken.ordering import terms
from privstream.exchanges.kraken.ordering.terms import Moment
from privstream.model.order_entry import Ticket

Compared = tuple[str, str | None, str | None]
FEE_FLAGS = frozenset({"fcib", "fciq"})
NONE = frozenset({"", "0", "none", "0:1"})
"""How rows say that there is none."""


def unlike(row: Mapping[str, Any], ticket: Ticket) -> list[str]:
    """What of a row is not as it was sent, as `leverage 2, not none`; none if it fits."""
    return [
        f"{name} {told or 'none'}, not {sent or 'none'}"
        for name, told, sent in _compared(row, ticket)
        if told != sent
    ]


def _compared(row: Mapping[str, Any], ticket: Ticket) -> Iterator[Compared]:
    """What is told and what was sent, of every term that the row states."""
    described = row.get("descr")
    described = described if isinstance(described, dict) else {}
    if "leverage" in described:
        told = _stated(described["leverage"])
        wanted = terms.leverage(ticket)
        yield "leverage", told and told.partition(":")[0], None if wanted is None else str(wanted)
    if "close" in described:
        closes = "a closing order" if _stated(described["close"]) else None
        yield "with", closes, "a closing order" if ticket.options.get("close_type") else None
    yield from _times(row, ticket)
    yield from _fee_flag(row, ticket)


def _times(row: Mapping[str, Any], ticket: Ticket) -> Iterator[Compared]:
    for name, key, sent in (
        ("start", "starttm", terms.start(ticket)),
        ("expiry", "expiretm", terms.expiry(ticket)),
    ):
        if key in row:
            told = _stated(row[key])
            if sent is None or told is None or sent.at is not None:
                yield name, told and told.partition(".")[0], sent and _shown(sent)


def _shown(moment: Moment) -> str:
    """A moment as rows have it; one counted from the sending is only known to be there."""
    return f"+{moment.after}" if moment.at is None else str(terms.epoch_seconds(moment.at))


def _fee_flag(row: Mapping[str, Any], ticket: Ticket) -> Iterator[Compared]:
    """Which currency pays the fee; where nobody said so, that is Kraken's affair."""
    sent = FEE_FLAGS.intersection(terms.flags(ticket))
    told = FEE_FLAGS.intersection((_stated(row.get("oflags")) or "").split(","))
    if sent and told:
        yield "fee flag", ",".join(sorted(told)), ",".join(sorted(sent))


def _stated(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    return None if text in NONE or not text.strip("0.") else text
