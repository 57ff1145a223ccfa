"""Turns HTTP answers that carry no result into errors: rate limits, outages, HTML pages.

Pure, and careful with foreign text: whatever is quoted was cut and made printable.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from privstream.model.errors import RateLimited, Unavailable
from privstream.model.rest import HttpResponse

RETRY_AFTER_DEFAULT = 15.0
RETRY_AFTER_LIMIT = 600.0
OUTAGE_FLOOR = 5.0

_LONGEST = 200
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


def check(response: HttpResponse, title: str) -> None:
    """Raise where the answer cannot be the exchange's own: 429, 5xx, HTML, not JSON."""
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise rate_limited(response, title)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or not is_json(response):
        raise unavailable(response, title)


def rate_limited(response: HttpResponse, title: str) -> RateLimited:
    floor = retry_after(response.headers)
    return RateLimited(f"{title} says: too many requests; next try in {floor:.0f} s", floor=floor)


def unavailable(response: HttpResponse, title: str) -> Unavailable:
    message = f"{title} answered HTTP {response.status}"
    quoted = excerpt(response.body)
    message += f": {quoted}" if quoted else " with an empty body"
    hint = "a proxy or firewall may be in between" if is_html(response) else None
    return Unavailable(message, hint, floor=OUTAGE_FLOOR)


def is_html(response: HttpResponse) -> bool:
    """Whether this is a page for people: a proxy's, a firewall's, a login portal's."""
    content_type = response.headers.get("content-type", "").lower()
    return "html" in content_type or response.body.lstrip()[:1] == b"<"


def is_json(response: HttpResponse) -> bool:
    """Whether the body looks like JSON; exchanges do label theirs text/plain."""
    return not is_html(response) and response.body.lstrip()[:1] in _JSON_STARTS


_JSON_STARTS = frozenset(bytes([byte]) for byte in b'{["-0123456789tfn')


def without_echo(response: HttpResponse, sent: Mapping[str, str]) -> HttpResponse:
    """The answer without the key or the signature of the request that it may repeat.

    `sent` are the headers of the request, or the fields of its form.
    """
    body = response.body
    for name, value in sent.items():
        if _SECRET_FIELD.search(name) and len(value) >= _SHORTEST_SECRET:
            body = body.replace(value.encode(), b"<secret>")
    return HttpResponse(response.status, response.headers, body)


# By name, since a nonce or a time may well be repeated, and by length, since they sign too.
_SECRET_FIELD = re.compile(r"key|sign", re.IGNORECASE)
_SHORTEST_SECRET = 16


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait by the Retry-After header, as a number or a date, within bounds."""
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), RETRY_AFTER_LIMIT)
    until, sent = _moment(text), _moment(headers.get("date", ""))
    if until is None or sent is None:
        return RETRY_AFTER_DEFAULT
    # Both by the server's clock, so that ours may be wrong.
    return min(max((until - sent).total_seconds(), 0.0), RETRY_AFTER_LIMIT)


def sent_at(headers: Mapping[str, str]) -> float | None:
    """When the server sent its answer, by its own clock: seconds since the epoch."""
    moment = _moment(headers.get("date", ""))
    return None if moment is None else moment.timestamp()


def _moment(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 10 ms that dates need only

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def excerpt(foreign: bytes | str) -> str:
    """At most 200 printable characters of a foreign text, on one line; of a page its title."""
    text = foreign[:_PAGE].decode("utf-8", "replace") if isinstance(foreign, bytes) else foreign
    if text.lstrip().startswith("<"):
        text = _title(text[:_PAGE])
    words = " ".join(text[: 8 * _LONGEST].split())
    return "".join(filter(str.isprintable, words))[:_LONGEST]


def _title(page: str) -> str:
    """The title of a page for people, or else what it says without its markup."""
    from html import unescape  # noqa: PLC0415 - its tables are for pages only

    begin = _TITLE.search(page)
    end = None if begin is None else _TITLE_END.search(page, begin.end())
    title = "" if begin is None or end is None else page[begin.end() : end.start()]
    return unescape(title if title.strip() else _MARKUP.sub(" ", page[: 8 * _LONGEST]))


_PAGE = 64 * 1024
# Each looks at a hostile page once: what may repeat is bounded, or its end searched for alone.
_TITLE = re.compile(r"<title\b[^>]{0,200}>", re.IGNORECASE)
_TITLE_END = re.compile(r"</title", re.IGNORECASE)
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>?", re.IGNORECASE | re.DOTALL)
