"""Events on NATS JetStream, each under `PREFIX.EXCHANGE.ACCOUNT.TYPE`.

The one rule: delivered is what the stream acknowledged; silence, an election or a full stream
is tried again. `Nats-Msg-Id` lets the stream drop what comes twice within its window.

https://docs.nats.io/nats-concepts/jetstream/headers (2026-11-30)
"""

import asyncio
import secrets
import ssl
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.json import Decoder
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from privstream.model.errors import ConfigError
from privstream.outputs.sinks.base import Rejected, Retry, Row
from privstream.outputs.sinks.nats_client import Access, connected

T = TypeVar("T")
ACK_LIMIT = 5.0
"""Seconds for all acknowledgements of a batch: an election takes 5 to 8 s, and is tried again."""
_HEADERS = 64
"""Bytes of a message's headers beside the id."""
_TOO_LARGE = frozenset({10054, 10097})
"""The server's codes for a message, or its headers, that no retry makes smaller."""


class Problem(Struct, rename={"code": "err_code"}):
    """Why a stream does not take a message."""

    code: int = 0
    description: str = ""


class Ack(Struct):
    """The stream's answer to one message."""

    error: Problem | None = None
    stream: str = ""


_acks = Decoder(Ack)


class NatsSink:
    """Publishes rows and waits for the stream's acknowledgements."""

    def __init__(
        self,
        servers: Sequence[str],
        prefix: str,
        where: str,
        *,
        access: Access,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._servers = list(servers)
        self._prefix = prefix
        self._where = where
        self._access = access
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self._client: Client | None = None
        self._answers: dict[str, Msg] = {}
        self._all_there = asyncio.Event()
        self._inbox = ""
        self._attempts = 0
        self._due = 0

    def connect(self) -> None:
        self._run(self._deliver(()))

    def deliver(self, rows: Sequence[Row], /) -> None:
        self._run(self._deliver(rows))

    def close(self) -> None:
        if self._client is not None:
            self._run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # --- in the loop -----------------------------------------------------------------------

    async def _deliver(self, rows: Sequence[Row]) -> None:
        try:
            client = await self._connected()
            await self._publish(client, rows)
        except (NatsError, OSError, TimeoutError) as problem:
            raise Retry(f"{self._where}: {str(problem) or type(problem).__name__}") from problem
        for done, row in enumerate(rows):
            self._judge(done, row, client.max_payload)

    async def _publish(self, client: Client, rows: Sequence[Row]) -> None:
        self._answers.clear()
        self._all_there.clear()
        self._attempts += 1  # a late answer to an earlier attempt is about other rows
        fitting = list(takewhile(lambda row: _fits(row, client.max_payload), rows))
        self._due = len(fitting)
        for number, row in enumerate(fitting):
            await client.publish(
                self._subject(row),
                row.line,
                reply=f"{self._inbox}.{self._attempts}.{number}",
                headers={"Nats-Msg-Id": row.name},
            )
        if fitting:
            with suppress(TimeoutError):  # what came by then counts
                await asyncio.wait_for(self._all_there.wait(), ACK_LIMIT)

    def _judge(self, done: int, row: Row, max_payload: int) -> None:
        """Raise what it means that a row is not in the stream."""
        answer = self._answers.get(str(done))
        if answer is None:
            if not _fits(row, max_payload):
                raise Rejected(f"{self._where}: larger than {max_payload} bytes", delivered=done)
            raise Retry(f"{self._where}: no acknowledgement in {ACK_LIMIT:g} s", delivered=done)
        if not answer.data:
            why = f"{self._where}: no stream takes {self._subject(row)}"
            raise Retry(why, delivered=done, is_settled=True)
        ack = _acks.decode(answer.data)
        if ack.error is None:
            return
        why = f"{self._where}: {ack.error.description} ({ack.error.code})"
        if ack.error.code in _TOO_LARGE:
            raise Rejected(why, delivered=done)
        raise Retry(why, delivered=done)

    def _subject(self, row: Row) -> str:
        return f"{self._prefix}.{row.exchange}.{row.account}.{row.type}"

    async def _connected(self) -> Client:
        if self._client is not None and self._client.is_connected:
            return self._client
        try:
            client = await connected(self._servers, self._where, self._access, self._tls)
        except ConfigError as problem:
            if self._client is None:
                raise
            # It let us in before: whoever changed it there may change it back.
            raise Retry(problem.message, is_settled=True) from None
        self._inbox = f"_INBOX.{secrets.token_hex(8)}"
        await client.subscribe(f"{self._inbox}.*.*", cb=self._take)
        self._client = client
        return client

    async def _take(self, message: Msg) -> None:
        attempt, number = message.subject.rsplit(".", 2)[1:]
        if attempt == str(self._attempts):
            self._answers[number] = message
        if len(self._answers) >= self._due:
            self._all_there.set()


def _fits(row: Row, max_payload: int) -> bool:
    """Whether the server takes a row at all; its headers count too."""
    return len(row.line) + len(row.name.encode()) + _HEADERS <= max_payload
