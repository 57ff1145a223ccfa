"""Serves simulated exchanges on loopback, from a thread of its own.

The only simulator file with I/O. The exchanges themselves are only ever touched in
that thread.
"""

import asyncio
import contextlib
import errno
import math
import socket as sockets
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from privstream.model.account import Account
from privstream.model.errors import ConfigError
from privstream.model.rest import Now
from privstream.simulator import find
from privstream.simulator.base import (
    Answer,
    Close,
    Connection,
    Out,
    Ping,
    Pong,
    Request,
    SimulatedExchange,
    Text,
)
from privstream.simulator.faults import (
    CHAOS_KINDS,
    Deed,
    Drip,
    Endless,
    Fault,
    Faults,
    Happened,
    Kind,
    Reset,
    Torn,
    parse,
)
from privstream.simulator.faults import chaos as random_faults

try:
    from aiohttp import WSMessage, WSMsgType, web
except ImportError as missing:
    raise ConfigError(
        "the simulator needs its server library", "pip install '.[sim]' in the folder of privstream"
    ) from missing

HOST = "127.0.0.1"
TICK = 0.05
LARGEST_MESSAGE = 64 * 1024
NO_CLOSE_FRAME = 1006  # RFC 6455: stands for a connection that was cut
FAREWELL = 0.3  # seconds that a client has to answer our close frame
DRIP = 0.005  # seconds between two bytes, or several, where a frame drips
TEXT, LENGTH_16, LENGTH_64 = 0x81, 126, 127  # RFC 6455, of frames to the client
ENDLESS = 1 << 62
Clock = Callable[[], Now]


def system_clock() -> Now:
    """Now, by the machine's clocks."""
    return Now(time.time_ns(), time.monotonic())


class Simulation:
    """Simulated exchanges, each on a port of its own that serves REST and sockets.

    With a `port`, the exchanges get it and the ones after it, in their order;
    without, whatever is free. `limits=False` lets clients call as often as they like.

    `faults` are each exchange's planned ones, `chaos` adds a random one of `chaos_kinds`
    to each about every so many seconds, by `seed`. `tell` hears of each that strikes, in
    the simulation's thread. Faults never change what happens to the accounts: that stays
    readable in `exchanges`, after `stop` too.
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
        faults: Mapping[str, Iterable[Fault | str]] | None = None,
        chaos: float | None = None,
        chaos_kinds: Sequence[Kind] = CHAOS_KINDS,
        tell: Callable[[Happened], None] = lambda _: None,
    ) -> None:
        made = {n: find(n)(seed=seed, rate=rate, limits=limits) for n in names}
        self.exchanges: Mapping[str, SimulatedExchange] = {**made, **(exchanges or {})}
        self.faults = {
            name: Faults(
                [parse(f) if isinstance(f, str) else f for f in (faults or {}).get(name, ())],
                random=None
                if chaos is None
                else random_faults(chaos, f"{seed}/{name}", chaos_kinds),
                seed=seed,
                exchange=exchange,
                tell=tell,
            )
            for name, exchange in self.exchanges.items()
        }
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
        except BaseException:  # a port is taken; or Ctrl-C, while the thread goes on
            self.stop()
            raise

    def stop(self) -> None:
        """Close the sockets and the ports; return when the thread has ended."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def happened(self) -> list[Happened]:
        """The faults that struck so far, and the ends of those that last, in their order."""
        told = [h for faults in self.faults.values() for h in list(faults.happened)]
        return sorted(told, key=lambda one: one.wall_ns)

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
                    listener = _Listener(self.exchanges[name], self.faults[name], self._clock)
                    self._ports[name] = await listener.open(port)
                    stack.push_async_callback(listener.close)
            except OSError as problem:
                self._listening.set_exception(problem)
                return
            self._listening.set_result(None)
            await self._stop.wait()


class _Listener:
    """One exchange's port."""

    def __init__(self, exchange: SimulatedExchange, faults: Faults, clock: Clock) -> None:
        self._exchange, self._faults, self._clock = exchange, faults, clock
        self._sockets: set[web.WebSocketResponse] = set()
        self._watching: asyncio.Task[None] | None = None
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
        self._faults.begin(self._clock())
        self._watching = asyncio.create_task(self._watch())
        address: tuple[str, int] = self._runner.addresses[0]
        return address[1]

    async def _watch(self) -> None:
        while True:
            self._faults.due(self._clock())
            await asyncio.sleep(TICK)

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        closing = [socket.close(code=1001) for socket in self._sockets]
        await asyncio.gather(*closing, return_exceptions=True)
        await self._runner.cleanup()

    async def _answer(self, asked: web.Request) -> web.StreamResponse:
        try:
            return await self._answered(asked)
        except ConnectionResetError:  # whoever asked has gone again; the library would log it
            return web.Response()

    async def _answered(self, asked: web.Request) -> web.StreamResponse:
        body = await asked.read()
        headers = {name.lower(): value for name, value in asked.headers.items()}
        path, _, query = asked.raw_path.partition("?")
        request = Request(asked.method, path, query, headers, body)
        if headers.get("upgrade", "").lower() == "websocket":
            return await self._converse(asked, request)
        now = self._clock()
        self._faults.due(now)
        refusal = self._faults.refusal(now)
        if refusal is not None:
            return _response(refusal)
        answer = self._faults.answered(request, self._exchange.request(request, now), now)
        if answer is not None:
            return _response(answer)
        if asked.transport is not None:
            asked.transport.abort()
        return web.Response()  # nobody gets it

    async def _converse(self, asked: web.Request, handshake: Request) -> web.StreamResponse:
        now = self._clock()
        refusal = self._faults.connecting(now)
        connection = refusal or self._exchange.connect(handshake, now)
        if isinstance(connection, Answer):
            return _response(connection)
        socket = web.WebSocketResponse(
            timeout=FAREWELL,
            max_msg_size=LARGEST_MESSAGE,
            compress=False,
            autoping=False,  # some exchanges close where their pings are not answered
            autoclose=False,  # where nothing moves, no close frame is answered either
        )
        try:
            await socket.prepare(asked)
            self._sockets.add(socket)
            await _Conversation(asked, socket, connection, self._faults, self._clock).hold()
        finally:
            self._sockets.discard(socket)
            connection.closed(self._clock())
        return socket


class _Conversation:
    """One open socket: what the client says, what time brings, and what goes wrong."""

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
        self._line = faults.line(clock())
        self._unheard: list[WSMessage] = []
        """What came while nothing moved."""
        self._parting = False
        self._sending = asyncio.Lock()

    async def hold(self) -> None:
        await self._send(self._connection.opened(self._clock()))
        ticking = asyncio.create_task(self._tick())
        try:
            async for message in self._socket:
                if self._line.is_frozen(self._clock()):
                    self._unheard.append(message)
                else:
                    await self._hear(message)
            await self._part(ticking)
        finally:
            self._faults.closed(self._line)
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await ticking

    async def _hear(self, message: WSMessage) -> None:
        if message.type is WSMsgType.TEXT:
            await self._send(self._connection.received(message.data, self._clock()))
        elif message.type is WSMsgType.PING:
            await self._send([Pong(bytes(message.data))])
        elif message.type is WSMsgType.PONG:
            self._connection.ponged(self._clock())
        elif message.type is WSMsgType.BINARY:
            await self._socket.close(code=1003)

    async def _part(self, ticking: asyncio.Task[None]) -> None:
        """The client has said goodbye, or is gone."""
        self._parting = True
        if self._line.is_frozen(self._clock()):
            await ticking  # no close frame is answered while nothing moves
        await self._socket.close(drain=False)

    def _is_there(self) -> bool:
        return self._asked.transport is not None and not self._asked.transport.is_closing()

    async def _tick(self) -> None:
        while self._is_there() and not self._socket.closed:
            await asyncio.sleep(TICK)
            now = self._clock()
            self._faults.due(now)
            if self._line.is_frozen(now):
                await self._send(())  # a cut comes through all the same
                continue
            unheard, self._unheard = self._unheard, []
            for message in unheard:
                await self._hear(message)
            await self._send(self._connection.tick(now))
            if self._parting:
                return

    # --- what goes out -----------------------------------------------------------------

    async def _send(self, outs: Iterable[Out]) -> None:
        now = self._clock()
        deeds = [*self._line.tick(now), *self._faults.through(self._line, outs, now)]
        try:
            async with self._sending:  # while a frame drips, nothing may come between
                for deed in deeds:
                    if not self._socket.closed:
                        await self._do(deed)
        except ConnectionError:
            return  # the client is gone; its side of the loop sees that too

    async def _do(self, deed: Deed) -> None:
        match deed:
            case Text():
                await self._socket.send_str(deed.text)
            case Ping():
                await self._socket.ping()
            case Pong():
                await self._socket.pong(deed.payload)
            case Close():
                await self._close(deed)
            case Drip():
                await self._drip(deed)
            case Torn():
                frame = _frame(deed.text)
                self._write(frame[: len(frame) // 2])
            case Endless():
                self._write(struct.pack("!BBQ", TEXT, LENGTH_64, ENDLESS))
            case Reset():
                self._reset()

    async def _close(self, close: Close) -> None:
        if close.code != NO_CLOSE_FRAME:
            await self._socket.close(code=close.code, message=close.reason.encode())
        elif self._asked.transport is not None:
            self._asked.transport.abort()

    def _reset(self) -> None:
        if self._asked.transport is not None:
            socket = self._asked.transport.get_extra_info("socket")
            # Closing a socket that must not linger sends a reset.
            socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
            self._asked.transport.abort()

    async def _drip(self, drip: Drip) -> None:
        frame = _frame(drip.text)
        pause = max(drip.seconds / len(frame), DRIP if drip.seconds else 0.0)
        step = math.ceil(len(frame) * pause / drip.seconds) if drip.seconds else 1
        for start in range(0, len(frame), step):
            self._write(frame[start : start + step])
            await asyncio.sleep(pause)

    def _write(self, raw: bytes) -> None:
        """Past the server's library, which sends whole frames only."""
        if self._asked.transport is None or self._asked.transport.is_closing():
            raise ConnectionResetError
        self._asked.transport.write(raw)


def _frame(text: str) -> bytes:
    """A text frame as a server sends it."""
    payload = text.encode()
    if len(payload) < LENGTH_16:
        return struct.pack("!BB", TEXT, len(payload)) + payload
    if len(payload) < 1 << 16:
        return struct.pack("!BBH", TEXT, LENGTH_16, len(payload)) + payload
    return struct.pack("!BBQ", TEXT, LENGTH_64, len(payload)) + payload


def _response(answer: Answer) -> web.Response:
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return web.Response(status=answer.status, body=answer.body, headers=headers)
