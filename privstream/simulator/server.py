"""Serves simulated exchanges on loopback, from a thread of its own.

The only simulator file with I/O. The exchanges themselves are only ever touched in
that thread.
"""

import asyncio
import contextlib
import errno
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from privstream.errors import ConfigError
from privstream.simulator import find
from privstream.simulator.base import (
    Answer,
    Close,
    Connection,
    Out,
    Ping,
    Request,
    SimulatedExchange,
)
from privstream.simulator.faults import Drop, Faults
from privstream.wire import Account, Now

try:
    from aiohttp import WSMsgType, web
except ImportError as missing:
    raise ConfigError(
        "the simulator needs its server library", "pip install 'privstream[sim]'"
    ) from missing

HOST = "127.0.0.1"
TICK = 0.05
LARGEST_MESSAGE = 64 * 1024
NO_CLOSE_FRAME = 1006  # RFC 6455: stands for a connection that was cut
FAREWELL = 0.3  # seconds that a client has to answer our close frame
Clock = Callable[[], Now]


def system_clock() -> Now:
    """Now, by the machine's clocks."""
    return Now(time.time_ns(), time.monotonic())


class Simulation:
    """Simulated exchanges, each on a port of its own that serves REST and sockets.

    With a `port`, the exchanges get it and the ones after it, in their order;
    without, whatever is free. `limits=False` lets clients call as often as they like.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        seed: int = 1,
        rate: float = 2.0,
        port: int = 0,
        limits: bool = True,
        clock: Clock = system_clock,
        exchanges: Mapping[str, SimulatedExchange] | None = None,
    ) -> None:
        made = {n: find(n)(seed=seed, rate=rate, limits=limits) for n in names}
        self.exchanges: Mapping[str, SimulatedExchange] = {**made, **(exchanges or {})}
        self.faults = {name: Faults() for name in self.exchanges}
        self._port, self._clock = port, clock
        self._ports: dict[str, int] = {}
        self._listening: Future[None] = Future()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> None:
        """Return when every port listens. Raises OSError where one is taken."""
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._thread.start()
        try:
            self._listening.result()
        except BaseException:
            self._thread.join()
            raise

    def stop(self) -> None:
        """Close the sockets and the ports; return when the thread has ended."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def account(self, name: str, options: Mapping[str, str]) -> Account:
        """Credentials and endpoints of an exchange's account, as a client needs them."""
        return self.exchanges[name].account(f"http://{HOST}:{self._ports[name]}", options)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # --- below: runs in the simulation's thread ----------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            if not self._listening.done():  # a bug: start() must not wait for ever
                self._listening.set_exception(RuntimeError("the simulation did not start"))

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with contextlib.AsyncExitStack() as stack:
            try:
                for number, name in enumerate(self.exchanges):
                    port = self._port and self._port + number
                    door = _Door(self.exchanges[name], self.faults[name], self._clock)
                    self._ports[name] = await door.open(port)
                    stack.push_async_callback(door.close)
            except OSError as problem:
                self._listening.set_exception(problem)
                return
            self._listening.set_result(None)
            await self._stop.wait()


class _Door:
    """One exchange's port."""

    def __init__(self, exchange: SimulatedExchange, faults: Faults, clock: Clock) -> None:
        self._exchange, self._faults, self._clock = exchange, faults, clock
        self._sockets: set[web.WebSocketResponse] = set()
        application = web.Application(client_max_size=LARGEST_MESSAGE)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=FAREWELL
        )

    async def open(self, port: int) -> int:
        """Listen, and say where."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        except OverflowError as problem:
            await self._runner.cleanup()
            raise OSError(errno.EINVAL, f"there is no port {port}") from problem
        address: tuple[str, int] = self._runner.addresses[0]
        return address[1]

    async def close(self) -> None:
        closing = [socket.close(code=1001) for socket in self._sockets]
        await asyncio.gather(*closing, return_exceptions=True)
        await self._runner.cleanup()

    async def _answer(self, asked: web.Request) -> web.StreamResponse:
        body = await asked.read()
        headers = {name.lower(): value for name, value in asked.headers.items()}
        path, _, query = asked.raw_path.partition("?")
        request = Request(asked.method, path, query, headers, body)
        refusal = self._faults.refusal
        if refusal is not None:
            return _response(refusal)
        if headers.get("upgrade", "").lower() == "websocket":
            return await self._converse(asked, request)
        answer = self._exchange.request(request, self._clock())
        return _response(self._faults.answer(answer))

    async def _converse(self, asked: web.Request, handshake: Request) -> web.StreamResponse:
        connection = self._exchange.connect(handshake, self._clock())
        if isinstance(connection, Answer):
            return _response(self._faults.answer(connection))
        socket = web.WebSocketResponse(
            timeout=FAREWELL,
            max_msg_size=LARGEST_MESSAGE,
            compress=False,
            autoping=False,  # some exchanges close where their pings are not answered
        )
        await socket.prepare(asked)
        self._sockets.add(socket)
        try:
            await _Conversation(asked, socket, connection, self._faults, self._clock).hold()
        finally:
            self._sockets.discard(socket)
            connection.closed(self._clock())
        return socket


class _Conversation:
    """One open socket: what the client says, and what time brings."""

    def __init__(
        self,
        asked: web.Request,
        socket: web.WebSocketResponse,
        connection: Connection,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self._asked, self._socket, self._connection = asked, socket, connection
        self._faults, self._clock = faults, clock
        self._struck = faults.struck

    async def hold(self) -> None:
        await self._send(self._connection.opened(self._clock()))
        ticking = asyncio.create_task(self._tick())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._send(self._connection.received(message.data, self._clock()))
                elif message.type is WSMsgType.PING:
                    await self._pong(message.data)
                elif message.type is WSMsgType.PONG:
                    self._connection.ponged(self._clock())
                elif message.type is WSMsgType.BINARY:
                    await self._socket.close(code=1003)
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await ticking

    async def _tick(self) -> None:
        while not self._socket.closed:
            await asyncio.sleep(TICK)
            for strike in self._faults.since(self._struck):
                self._struck += 1
                await self._strike(strike)
            await self._send(self._connection.tick(self._clock()))

    async def _strike(self, strike: Drop | Close) -> None:
        await self._close(strike if isinstance(strike, Close) else Close(NO_CLOSE_FRAME))

    async def _send(self, outs: Iterable[Out]) -> None:
        try:
            for out in outs:
                for frame in self._faults.frame(out):
                    await self._say(frame)
        except ConnectionError:
            return  # the client is gone; its side of the loop sees that too

    async def _say(self, out: Out) -> None:
        if self._socket.closed:
            return
        if isinstance(out, Close):
            await self._close(out)
        elif isinstance(out, Ping):
            await self._socket.ping()
        else:
            await self._socket.send_str(out.text)

    async def _pong(self, payload: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # the client is gone; the loop sees that too
            await self._socket.pong(payload)

    async def _close(self, close: Close) -> None:
        if close.code != NO_CLOSE_FRAME:
            await self._socket.close(code=close.code, message=close.reason.encode())
        elif self._asked.transport is not None:
            self._asked.transport.abort()


def _response(answer: Answer) -> web.Response:
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return web.Response(status=answer.status, body=answer.body, headers=headers)
