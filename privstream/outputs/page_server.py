"""A few small pages over HTTP, for programs that look after a service.

The one rule: nobody who asks holds anything up. One thread serves all; who does not ask or read in
a few seconds is hung up on, and so is a crowd.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final, TypeAlias

from msgspec import Struct

PATIENCE: Final = 5.0
"""Seconds from a connection to its end."""
CROWD: Final = 32
"""Connections at once."""
HEAD_LIMIT: Final = 8 * 1024
LEAVE: Final = 0.2
"""Seconds that its thread has to end."""


class Page(Struct, frozen=True):
    """What is answered."""

    status: int
    kind: str
    """Its media type."""
    body: bytes


Pages: TypeAlias = Mapping[str, Callable[[], Page]]
"""By path; each is made when it is asked for."""
_NOT_THERE = Page(404, "text/plain; charset=utf-8", b"not found\n")
_NOT_ASKED_FOR = Page(405, "text/plain; charset=utf-8", b"GET only\n")
_NO_REQUEST = Page(400, "text/plain; charset=utf-8", b"bad request\n")


class PageServer:
    """Listens from the beginning, answers once it is started."""

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        """Raises OSError where it cannot listen there."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family)
        self.port: int = self._listening.getsockname()[1]
        self._pages = pages
        self._clients = 0
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Hang up on everybody."""
        if self._thread.ident is None:
            self._listening.close()
            self._loop.close()
            return
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(LEAVE)

    # --- in its thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._meet, sock=self._listening, limit=HEAD_LIMIT)
        try:
            await self._end.wait()
        finally:
            server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if self._clients <= CROWD:
                with suppress(OSError, TimeoutError):
                    await asyncio.wait_for(self._talk(reader, writer), PATIENCE)
        except asyncio.CancelledError:
            return  # it is the end
        finally:
            self._clients -= 1
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = b""
        method, page = self._answer(head)
        writer.write(_head_of(page) + (b"" if method == "HEAD" else page.body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def _answer(self, head: bytes) -> tuple[str, Page]:
        words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - RFC 9112
            return "", _NO_REQUEST
        method, target, _ = words
        if method not in {"GET", "HEAD"}:
            return method, _NOT_ASKED_FOR
        make = self._pages.get(target.partition("?")[0])
        return method, _NOT_THERE if make is None else make()


def _head_of(page: Page) -> bytes:
    lines = (
        f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}",
        f"Content-Type: {page.kind}",
        f"Content-Length: {len(page.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
