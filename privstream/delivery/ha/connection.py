"""Asks a NATS server, over a connection that is made anew when it is needed.

The one rule: whatever is not answered in time is `Away`, never a guess. Runs in one loop.

https://github.com/nats-io/nats-architecture-and-design: ADR-31 (direct reads), read 2026-11-30.
"""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, TypeAlias

from msgspec import json
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from privstream.delivery.ha.ports import Away, Stored
from privstream.model.errors import ConfigError
from privstream.outputs.sinks.nats_client import Access, connected

ASK_LIMIT = 2.0
"""Seconds for an answer to a question, which can be asked again."""
SILENT = 2
"""Unanswered questions in a row after which another server is tried."""
_DONE = frozenset({"204", "404"})
Answers: TypeAlias = "asyncio.Queue[Msg | None]"
"""`None`: the connection is over, and nothing more comes."""


class Problem(NamedTuple):
    """Why the server does not do it."""

    code: int
    text: str


def problem_of(answer: Mapping[str, Any]) -> Problem | None:
    error = answer.get("error")
    if not error:
        return None
    return Problem(error.get("err_code", 0), error.get("description", "refused"))


def said(problem: BaseException) -> str:
    return str(problem) or type(problem).__name__


class Connection:
    """One host's connection."""

    def __init__(
        self,
        servers: Sequence[str],
        where: str,
        *,
        access: Access,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`where` is what messages call the servers."""
        self.where = where
        self._servers = servers
        self._access = access
        self._tls = tls
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._inbox = ""
        self._answers: dict[str, Answers] = {}
        self._silent = 0
        self._was_connected = False

    async def client(self) -> Client:
        """Connected. Raises Away, and ConfigError where it never was."""
        async with self._connecting:
            if self._client is not None and self._client.is_connected:
                return self._client
            try:
                client = await connected(
                    self._servers, self.where, self._access, self._tls, self._closed
                )
                self._inbox = f"_INBOX.{secrets.token_hex(8)}"
                await client.subscribe(f"{self._inbox}.*", cb=self._take)
            except ConfigError as problem:
                if not self._was_connected:
                    raise
                raise Away(problem.message) from problem
            except (NatsError, OSError, TimeoutError) as problem:
                raise Away(f"{self.where}: {said(problem)}") from problem
            self._client, self._was_connected = client, True
            return client

    async def version(self) -> str:
        """Of the server that answers."""
        client = await self.client()
        # The library's own property drops what follows the three numbers.
        return str(client._server_info.get("version", "0"))  # noqa: SLF001

    @property
    def largest(self) -> int:
        """Bytes of a message, headers included."""
        return (self._client.max_payload if self._client else 0) or (1 << 20)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(NatsError, OSError, TimeoutError):
                await asyncio.wait_for(client.close(), ASK_LIMIT)

    # --- asking ----------------------------------------------------------------------------

    async def ask(self, question: str, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """One question to JetStream's own interface."""
        return await self.request(f"$JS.API.{question}", json.encode(wanted))

    async def request(
        self, subject: str, body: bytes, headers: dict[str, str] | None = None
    ) -> Mapping[str, Any]:
        """One question, one answer."""
        client = await self.client()
        try:
            answer = await client.request(subject, body, timeout=ASK_LIMIT, headers=headers)
        except NoRespondersError:
            raise Away(f"{self.where}: nobody answers {subject}: is JetStream on?") from None
        except (NatsError, OSError, TimeoutError) as problem:
            await self._not_answered()
            raise Away(f"{self.where}: {said(problem)}") from problem
        self._silent = 0
        found: Mapping[str, Any] = json.decode(answer.data)
        return found

    async def read(self, stream: str, wanted: Mapping[str, Any]) -> list[Stored]:
        """One question, many messages; from any replica."""
        client = await self.client()
        async with self.replies() as (inbox, answers):
            try:
                question = json.encode(wanted)
                await client.publish(f"$JS.API.DIRECT.GET.{stream}", question, reply=inbox)
                found, status = await _messages(answers)
            except (NatsError, OSError, TimeoutError) as problem:
                await self._not_answered()
                raise Away(f"{self.where}: {said(problem)}") from problem
        if status not in _DONE:
            raise Away(f"{self.where}: {stream} cannot be read ({status})")
        self._silent = 0
        return found

    @asynccontextmanager
    async def replies(self) -> AsyncIterator[tuple[str, Answers]]:
        """Where several answers to one question go, and where they are found."""
        token = secrets.token_hex(6)
        answers: Answers = asyncio.Queue()
        self._answers[token] = answers
        try:
            yield f"{self._inbox}.{token}", answers
        finally:
            del self._answers[token]

    async def _take(self, answer: Msg) -> None:
        if (answers := self._answers.get(answer.subject.rpartition(".")[2])) is not None:
            answers.put_nowait(answer)

    async def _closed(self) -> None:
        """Whoever waits for an answer of this connection need not wait any longer."""
        for answers in self._answers.values():
            answers.put_nowait(None)

    async def _not_answered(self) -> None:
        """A server that does not answer may be stopped; another one may not be."""
        self._silent += 1
        if self._silent >= SILENT:
            self._silent = 0
            await self.close()


async def next_of(answers: Answers) -> Msg:
    """The next answer. Raises ConnectionError where none can come."""
    if (answer := await answers.get()) is None:
        raise ConnectionError("the connection broke")
    return answer


async def _messages(answers: Answers) -> tuple[list[Stored], str]:
    """Those of a direct read, and the status that ends them."""
    found: list[Stored] = []
    while True:
        answer = await asyncio.wait_for(next_of(answers), ASK_LIMIT)
        headers = answer.headers or {}
        if "Status" in headers:
            return found, headers["Status"]
        found.append(Stored(headers["Nats-Subject"], int(headers["Nats-Sequence"]), answer.data))
