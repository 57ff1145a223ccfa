"""Events as HTTP requests: one POST an event, signed as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (2026-11-30)

The one rule: only 2xx is delivered. A redirect is never followed: it would send an account's
events, and the right to read them, to somebody who was not named.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse

from privstream.model.errors import OutputFailed
from privstream.outputs.sinks.base import Rejected, Retry, Row

ATTEMPTS = 5
"""So often an event that the other side calls wrong is sent before it is a dead letter."""
ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer that are read; more closes the connection."""
_WRONG = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
_SETTLED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""A person has to mend these: perhaps only the address was mistyped, so no event is given up."""
_OBEYED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
LONGEST_AFTER = 3600.0
"""Seconds that a Retry-After is obeyed for at most."""


def signing_key(secret: str) -> bytes:
    """The key of a `whsec_…` secret. Raises ValueError."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("must be whsec_ and base64") from None


AT_ONCE = 10
"""Events posted before they are acknowledged together: each may take as long as an answer may."""


class Webhook:
    """Posts each row to one URL."""

    at_once = AT_ONCE

    def __init__(
        self,
        connect: Callable[[], HTTPConnection],
        target: str,
        where: str,
        keys: Sequence[bytes] = (),
        *,
        wall: Callable[[], float],
    ) -> None:
        """`wall`: the time, in seconds. `target`: path and query. `where`: how messages call it, since a path may be secret."""
        self._connect = connect
        self._target = target
        self._where = where
        self._keys = keys
        self._wall = wall
        self._connection: HTTPConnection | None = None
        self._refused: tuple[str, int] = ("", 0)
        """The row that was called wrong last, and how often."""

    def deliver(self, rows: Sequence[Row], /) -> None:
        for done, row in enumerate(rows):
            status, after = self._post(row, done)
            if not HTTPStatus(200) <= status < HTTPStatus(300):
                self._answer(row, done, status, after)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, row: Row, done: int) -> tuple[int, float | None]:
        # A kept connection that the other side closed meanwhile is worth one more try.
        was_kept = self._connection is not None
        try:
            return self._exchange(row)
        except (OSError, HTTPException) as problem:
            self.close()
            if was_kept:
                return self._post(row, done)
            said = str(problem) or type(problem).__name__
            raise Retry(f"{self._where}: {said}", delivered=done) from problem

    def _exchange(self, row: Row) -> tuple[int, float | None]:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._target, row.line, self._headers(row))
        response = self._connection.getresponse()
        rest = response.read(ANSWER_LIMIT + 1)
        if len(rest) > ANSWER_LIMIT:
            self.close()
        return response.status, self._retry_after(response)

    def _headers(self, row: Row) -> dict[str, str]:
        # The specification forbids dots in an id, and ours have some.
        name = "evt_" + hashlib.sha256(row.name.encode()).hexdigest()[:32]
        stamp = str(int(self._wall()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "privstream",
            "webhook-id": name,
            "webhook-timestamp": stamp,
        }
        if self._keys:
            signed = f"{name}.{stamp}.".encode() + row.line
            headers["webhook-signature"] = " ".join(_signature(key, signed) for key in self._keys)
        return headers

    def _retry_after(self, response: HTTPResponse) -> float | None:
        text = response.getheader("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return min(LONGEST_AFTER, float(text[:9]))
        try:
            moment = parsedate_to_datetime(text).timestamp()
        except (ValueError, OverflowError):
            return None
        return min(LONGEST_AFTER, max(0.0, moment - self._wall()))

    def _answer(self, row: Row, done: int, status: int, after: float | None) -> None:
        why = f"{self._where} answered {status}"
        if status == HTTPStatus.GONE:
            raise OutputFailed(
                f"{why}: it wants no more events", "what it is owed is kept; name another address"
            )
        if status in _WRONG:
            self._count_refusal(row, done, why)
        raise Retry(
            why,
            delivered=done,
            after=after if status in _OBEYED else None,
            is_settled=status in _SETTLED or 300 <= status < 400,  # noqa: PLR2004 - redirects
        )

    def _count_refusal(self, row: Row, done: int, why: str) -> None:
        name, attempts = self._refused
        attempts = attempts + 1 if name == row.name else 1
        self._refused = (row.name, attempts)
        if attempts >= ATTEMPTS:
            raise Rejected(why, delivered=done, attempts=attempts)


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
