"""The client's end of a connection to a simulated exchange in memory; see `joined.py`."""

from collections.abc import Iterable
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from privstream.connection.socket.frames import FRAME_LIMIT
from privstream.connection.socket.websocket import UNFINISHED_LIMIT, Closed, _refusal
from privstream.model.errors import Interrupted, Unreachable
from privstream.model.rest import HttpRequest, HttpResponse, Now
from privstream.model.session import Handshake
from privstream.simulator.base import (
    Answer,
    Close,
    Connection,
    Out,
    Ping,
    Pong,
    Request,
    Text,
)
from privstream.simulator.faults import (
    Deed,
    Drip,
    Endless,
    Line,
    Reset,
)

if TYPE_CHECKING:
    from tests.joined import World

STEP = 0.05
"""Seconds: time passes by as much at least."""


class JoinedSocket:
    """A socket whose other end is a simulated exchange in the same thread."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._connection: Connection | None = None
        self._line: Line | None = None
        self._unheard: list[str | Pong] = []
        self._dripping: list[tuple[float, bytes | Interrupted]] = []
        self._waiting: list[bytes] = []
        self.end: Interrupted | None = None
        self._controls: list[bytes | None] = []
        self.sent: list[str] = []

    def open(self, handshake: Handshake) -> None:
        world = self._world
        world.pass_time(STEP)
        if world.is_down:
            raise Unreachable("cannot reach the exchange: connection refused")
        headers = {name.lower(): value for name, value in handshake.headers.items()}
        parts = urlsplit(handshake.url)
        request = Request("GET", parts.path or "/", parts.query, headers)
        now = world.clock.now()
        answer = world.faults.connecting(now) or world.simulated.connect(request, now)
        if isinstance(answer, Answer):
            refusal = _refusal(as_response(answer, now), "the exchange")
            raise refusal or Unreachable("the handshake was broken off")
        self._connection, self._line = answer, world.faults.line(now)
        self._take(answer.opened(now))

    def receive(self, timeout: float) -> list[bytes]:
        world = self._world
        world.pass_time(max(timeout, STEP) if not self._waiting else 0.0)
        world.faults.due(world.clock.now())
        if self._connection is not None and self.end is None:
            self._tick(self._connection)
        if self._waiting and not world.is_mute:
            waiting, self._waiting = self._waiting, []
            return waiting
        if self.end is not None and not world.is_mute:
            raise self.end
        return []

    def send(self, text: str) -> None:
        self.sent.append(text)
        if self._connection is None:
            return
        if self._is_frozen:
            self._unheard.append(text)
        else:
            self._take(self._connection.received(text, self._world.clock.now()))

    def ping(self, payload: bytes) -> None:
        """Answered by every server, in its turn."""
        if self._connection is None:
            return
        if self._is_frozen:
            self._unheard.append(Pong(payload))
        else:
            self._take([Pong(payload)])

    def controls(self) -> list[bytes | None]:
        if self._world.is_mute or self._waiting or self._dripping:
            return []
        controls, self._controls = self._controls, []
        return controls

    def close(self) -> None:
        self._connection = None
        if self._line is not None:
            self._world.faults.closed(self._line)

    def abort(self) -> None:
        self.end = Interrupted("aborted")

    def age(self) -> None:
        """Nobody reads: what comes waits here."""
        if self._connection is not None and self.end is None:
            self._tick(self._connection)

    def forget(self) -> None:
        """What came and was not read is gone."""
        self._waiting.clear()
        self._dripping.clear()
        self._controls.clear()

    @property
    def _is_frozen(self) -> bool:
        return self._line is not None and self._line.is_frozen(self._world.clock.now())

    def _tick(self, connection: Connection) -> None:
        now = self._world.clock.now()
        while self._dripping and self._dripping[0][0] <= now.monotonic:
            self._arrive(self._dripping.pop(0)[1])
        if self._is_frozen:
            self._take(())
            return
        unheard, self._unheard = self._unheard, []
        for said in unheard:
            self._take([said] if isinstance(said, Pong) else connection.received(said, now))
        self._take(connection.tick(now))

    def _take(self, outs: Iterable[Out]) -> None:
        now, line = self._world.clock.now(), self._line
        if line is None:
            return
        for deed in (*line.tick(now), *self._world.faults.through(line, outs, now)):
            self._do(deed, now.monotonic)

    def _do(self, deed: Deed, now: float) -> None:
        """What the server would do, as the client would meet it."""
        match deed:
            case Text():
                self._hear(deed.text, now)
            case Drip() if deed.seconds > UNFINISHED_LIMIT:
                self._follow(now + UNFINISHED_LIMIT, Interrupted("a frame was not whole"))
            case Drip():
                self._follow(now + deed.seconds, deed.text.encode())
            case Close(code=1006) | Reset():
                self._follow(now, Interrupted("the connection broke: reset"))
            case Close():
                self._follow(now, Closed(deed.code, deed.reason))
            case Endless():
                self._follow(now, Interrupted("the frame is too long", cause="protocol"))
            case Ping():
                self._pong()
            case Pong():
                self._controls.append(deed.payload)

    def _hear(self, text: str, now: float) -> None:
        spoilt = self._world.spoil(text)
        if not self._world.is_mute:
            for one in spoilt:
                self._follow(now, one.encode())

    def _pong(self) -> None:
        if not self._world.is_mute and self._connection is not None:
            self._controls.append(None)
            self._connection.ponged(self._world.clock.now())

    def _follow(self, due: float, what: bytes | Interrupted) -> None:
        """Nothing overtakes a frame that still drips in."""
        if self._dripping or due > self._world.clock.now().monotonic:
            before = self._dripping[-1][0] if self._dripping else due
            self._dripping.append((max(due, before), what))
        else:
            self._arrive(what)

    def _arrive(self, what: bytes | Interrupted) -> None:
        if isinstance(what, bytes):
            if len(what) <= FRAME_LIMIT:
                self._waiting.append(what)
                return
            what = Interrupted("the frame is too long", cause="protocol")
        self.end = self.end or what


def as_request(request: HttpRequest, base: str = "") -> Request:
    path, _, query = f"{urlsplit(base).path}{request.path}".partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, path, query, headers, request.body)


def as_response(answer: Answer, now: Now) -> HttpResponse:
    headers = {"date": formatdate(now.wall_ns // 10**9, usegmt=True)}
    headers |= {name.lower(): value for name, value in answer.headers.items()}
    headers["content-type"] = answer.content_type
    return HttpResponse(status=answer.status, headers=headers, body=answer.body)
