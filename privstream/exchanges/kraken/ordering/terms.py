"""What Kraken takes on an order: types, options, and how their values are typed.

The one rule: a value that is not surely what Kraken would read is a usage error, before
anything is asked or sent. Source: docs.kraken.com add_order and addOrder (checked 2026-11-20).
"""

import re
from typing import NamedTuple

from privstream.model.errors import UsageError
from privstream.model.exact import amount, normal
from privstream.model.order_entry import OrderOption, Ticket
from privstream.model.times import from_rfc3339, to_nanos

OPTIONS = (
    OrderOption("leverage", "N", "Fund it on margin with this leverage, like 3."),
    OrderOption("userref", "INTEGER", "Your own number for it; with v2 instead of a client id."),
    OrderOption("start", "TIME", "Place it then: +SECONDS or a UTC time."),
    OrderOption("expire", "TIME", "Let it expire then: +SECONDS or a UTC time (gtd)."),
    OrderOption("flags", "LIST", "Of post, fcib, fciq, nompp, viqc, joined by commas."),
    OrderOption("trailing_offset", "OFFSET", "Of a trailing stop: quote units, or 1.5%."),
    OrderOption("display_quantity", "N", "What an iceberg order shows."),
    OrderOption("close_type", "TYPE", "Type of the order that closes each fill of this one."),
    OrderOption("close_price", "PRICE", "Limit of the closing order."),
    OrderOption("close_stop_price", "PRICE", "Trigger of the closing order; trailing: offset."),
)
FLAGS = ("post", "fcib", "fciq", "nompp", "viqc")
TRIGGERED = frozenset({"stop_loss", "stop_loss_limit", "take_profit", "take_profit_limit"})
TRAILING = frozenset({"trailing_stop", "trailing_stop_limit"})
WITH_LIMIT = frozenset(
    {"limit", "iceberg", "stop_loss_limit", "take_profit_limit", "trailing_stop_limit"}
)
TYPES = ("market", "settle_position", *sorted(WITH_LIMIT | TRIGGERED | TRAILING))
CLOSING_TYPES = frozenset(TYPES) - {"market", "settle_position", "iceberg"}
USERREF_LIMIT = 2**31
ORDER_ID = re.compile(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")
SYMBOL = re.compile(r"[A-Za-z0-9.]{2,20}(/[A-Za-z0-9.]{1,20})?")
SHORT_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,18}")
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_OFFSET = re.compile(r"(last)?([+#-]?)(.*?)(%?)")


class Price(NamedTuple):
    """A price as it was typed: absolute, or an offset from the last traded one."""

    sign: str
    """`+`, `-`, `#` (whichever fits the side), or "" of an absolute price."""
    digits: str
    percent: bool

    @property
    def is_absolute(self) -> bool:
        return not self.sign and not self.percent

    @property
    def text(self) -> str:
        """As v1 takes it."""
        return f"{self.sign}{self.digits}{'%' if self.percent else ''}"


class Moment(NamedTuple):
    """A time as it was typed: in so many seconds from now, or a moment in UTC."""

    after: int | None = None
    at: str | None = None


def number(text: str, what: str) -> str:
    """A positive amount, with its digits as typed. Raises UsageError."""
    if "e" in text.lower():
        try:
            text = amount(text) or ""
        except ValueError:
            raise UsageError(f"{what} is no number: {text!r}") from None
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{what} is no number: {text!r}", "write it like 1250.5")
    if normal(text) == "0":
        raise UsageError(f"{what} must not be 0")
    return text


def price(text: str, what: str) -> Price:
    """A price, or an offset from the last one: `+5`, `-1%`, `#2`, `last-5`.

    A bare `-5` is refused: a script that got its sum wrong would sell at once.
    """
    found = _split(text)
    is_named = text.startswith("last")
    if found.sign == "-" and not (found.percent or is_named):
        raise UsageError(
            f"{what} is negative: {text!r}", f"for less than the last price: last{text}"
        )
    if is_named and not found.sign:
        raise UsageError(f"{what} is no price: {text!r}", "write it like last-5 or last+1%")
    return found._replace(digits=number(found.digits, what))


def offset(text: str, what: str) -> Price:
    """An offset from the trigger of a trailing stop; it may be 0, and below."""
    found = _split(text)
    if _NUMBER.fullmatch(found.digits) and normal(found.digits) == "0":
        return found
    return found._replace(digits=number(found.digits, what))


def _split(text: str) -> Price:
    match = _OFFSET.fullmatch(text)
    _, sign, digits, percent = match.groups() if match else ("", "", text, "")
    return Price(sign, digits, bool(percent))


def moment(text: str, what: str) -> Moment:
    """`+30`, or a UTC time to the second."""
    if re.fullmatch(r"\+[1-9][0-9]{0,8}", text):
        return Moment(after=int(text))
    try:
        at = from_rfc3339(text)
    except ValueError:
        at = None
    if at is None:
        hint = "write +SECONDS, or a UTC time like 2026-12-02T08:00:00Z"
        raise UsageError(f"{what} is no time: {text!r}", hint)
    if not at.endswith(".000000Z"):
        raise UsageError(f"{what}: Kraken takes whole seconds only: {text!r}")
    return Moment(at=at.replace(".000000Z", "Z"))


def epoch_seconds(at: str) -> int:
    """Of a UTC time to the second."""
    return to_nanos(at.replace("Z", ".000000Z")) // 10**9


def flags(ticket: Ticket) -> tuple[str, ...]:
    """The flags, `post` among them where the time in force says it."""
    named = [flag for flag in ticket.options.get("flags", "").split(",") if flag]
    for flag in named:
        if flag not in FLAGS:
            raise UsageError(f"{flag!r} is no flag of Kraken's", f"known are: {', '.join(FLAGS)}")
    if ticket.time_in_force == "post_only":
        named.append("post")
    return tuple(dict.fromkeys(named))


def leverage(ticket: Ticket) -> int | None:
    """Whole, and at least 2; `None` where the order is not on margin."""
    text = ticket.options.get("leverage")
    if text is None:
        return None
    text = text.removesuffix(":1").removesuffix("x")
    if not re.fullmatch(r"[1-9][0-9]?", text) or text == "1":
        raise UsageError(f"{ticket.options['leverage']!r} is no leverage", "write it like 3")
    return int(text)


def userref(ticket: Ticket) -> int | None:
    text = ticket.options.get("userref")
    if text is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or abs(int(text)) >= USERREF_LIMIT:
        raise UsageError(f"{text!r} is no userref", "it is a whole number of 32 bits")
    return int(text)


def expiry(ticket: Ticket) -> Moment | None:
    text = ticket.options.get("expire")
    return None if text is None else moment(text, "--expire")


def start(ticket: Ticket) -> Moment | None:
    text = ticket.options.get("start")
    return None if text is None else moment(text, "--start")


def time_in_force(ticket: Ticket) -> str | None:
    """In Kraken's words: an order that expires is `gtd`, one that is `post_only` is a flag."""
    named = None if ticket.time_in_force == "post_only" else ticket.time_in_force
    return named or ("gtd" if "expire" in ticket.options else None)
