"""The WebSocket of one account: dial, send, receive, close, abort.

websocket-client does the handshake and builds our frames. Reading is our own, for speed
and for the limits that the library lacks. One thread owns a socket; only `abort` may be
called from another. Nothing of a request's headers or query gets into a message.
"""

import contextlib
import struct
from http import HTTPStatus
from urllib.parse import urlsplit

import websocket

from privstream import __version__
from privstream.connection import network
from privstream.connection.clock import Clock, SystemClock
from privstream.connection.socket.frames import Frames
from privstream.connection.socket.transport import READ_SIZE, Transport
from privstream.model import http_errors
from privstream.model.errors import (
    ConfigError,
    Interrupted,
    LoginRefused,
    PrivstreamError,
    Unavailable,
    Unreachable,
)
from privstream.model.rest import HttpResponse
from privstream.model.session import Handshake

DIAL_LIMIT = 10.0
CLOSE_LIMIT = 1.0
UNFINISHED_LIMIT = 30.0
"""Seconds that a begun frame or message may take to become whole."""
ANSWER_LIMIT = 64 * 1024
"""Bytes that are read of an answer to the handshake."""

NO_CODE = 1005
_NORMAL, _PROTOCOL_ERROR = 1000, 1002
_RESTARTING = frozenset({1012, 1013})
_RESTART_FLOOR = 5.0
_SECURE_PORT, _PORT = 443, 80


class Closed(Interrupted):
    """The server closed the connection, with a code and mostly a reason."""

    def __init__(self, code: int, reason: str) -> None:
        said = f" ({reason})" if reason else ""
        floor = _RESTART_FLOOR if code in _RESTARTING else 0.0
        super().__init__(f"the server closed the connection: {code}{said}", floor=floor)
        self.code = code
        self.reason = reason


def dial(
    handshake: Handshake,
    *,
    timeout: float = DIAL_LIMIT,
    socket: "Socket | None" = None,
) -> "Socket":
    """Open a socket. One that is handed in can be aborted by others while it is dialled."""
    socket = socket or Socket()
    socket.open(handshake, timeout)
    return socket


class NoSocket(Unavailable):
    """A server answered the handshake with something else than a WebSocket."""

    def __init__(self, answer: HttpResponse, host: str) -> None:
        usual = http_errors.unavailable(answer, host)
        super().__init__(usual.message, usual.hint, floor=usual.floor, cause=usual.cause)
        self.answer = answer


class Socket:
    """One connection; a new one is made for every attempt."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._transport = Transport(self._clock)
        self._library = websocket.WebSocket(enable_multithread=True, skip_utf8_validation=True)
        self._frames = Frames()
        self._unfinished_since: float | None = None
        self._end: Interrupted | None = None
        self._waiting: list[bytes] = []
        self._controls: list[bytes | None] = []

    # --- opening ---------------------------------------------------------------------

    def open(self, handshake: Handshake, timeout: float = DIAL_LIMIT) -> None:
        """Connect, verify and shake hands; all of it together within `timeout` seconds."""
        deadline = self._clock.now().monotonic + timeout
        host, port, secure = _target(handshake.url)
        lines = _header_lines(handshake)
        try:
            self._transport.connect(host, port, secure=secure, deadline=deadline)
            self._shake_hands(handshake, host, lines, deadline)
        except OSError as problem:
            self._transport.close()
            raise network.unreachable(problem, host) from problem
        except BaseException:
            self._transport.close()
            raise

    def _shake_hands(
        self, handshake: Handshake, host: str, lines: list[str], deadline: float
    ) -> None:
        line = _Line(self._transport, deadline)
        try:
            self._library.connect(  # type: ignore[no-untyped-call] # the library has no types here
                handshake.url, socket=line, header=lines, suppress_origin=True, redirect_limit=0
            )
        except (websocket.WebSocketException, OSError, ValueError) as problem:
            answer = line.answer()
            if answer is not None:
                answer = http_errors.without_echo(answer, handshake.headers)
            refused = _refusal(answer, host)
            if refused is None and isinstance(problem, OSError):
                raise
            if refused is None and isinstance(problem, websocket.WebSocketTimeoutException):
                raise TimeoutError from None
            # Without its cause: the library's messages quote the whole answer.
            raise refused or Unreachable(f"{host} breaks off the handshake") from None
        line.deadline = None
        self._waiting = self._split(line.rest())

    # --- receiving -------------------------------------------------------------------

    def receive(self, timeout: float) -> list[bytes]:
        """All whole messages that are here; [] when none came within `timeout` seconds."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return waiting
        if self._end is not None:
            raise self._end
        try:
            chunk = self._transport.read(timeout)
        except OSError as problem:
            raise Interrupted(f"the connection broke: {problem.strerror}") from problem
        if chunk == b"":
            raise Interrupted("the connection ended without a close frame")
        messages = self._split(chunk) if chunk else []
        if not messages:
            self._check_end()
        return messages

    def _check_end(self) -> None:
        if self._end is not None:
            raise self._end
        since = self._unfinished_since
        if since is not None and self._clock.now().monotonic - since > UNFINISHED_LIMIT:
            raise Interrupted(f"a frame was not whole after {UNFINISHED_LIMIT:.0f} s")

    def _split(self, chunk: bytes) -> list[bytes]:
        frames = self._frames
        before = frames.completed
        messages = frames.feed(chunk)
        if frames.pings or frames.pongs:
            self._take_controls()
        if frames.close is not None or frames.violation is not None:
            self._finish()
        elif not frames.unfinished:
            self._unfinished_since = None
        elif messages or self._unfinished_since is None or self._new_frame_began(before):
            self._unfinished_since = self._clock.now().monotonic
        return messages

    def _new_frame_began(self, before: int) -> bool:
        # Further fragments, or pings between them, do not make a message any younger.
        return self._frames.completed != before and not self._frames.in_message

    def controls(self) -> list[bytes | None]:
        """What came since of the WebSocket protocol itself: `None` a ping, else a pong's payload.

        All messages that came before them were given out, once nothing waits.
        """
        if self._waiting:
            return []
        controls, self._controls = self._controls, []
        return controls

    def _take_controls(self) -> None:
        self._controls += [*(None for _ in self._frames.pings), *self._frames.pongs]
        self._frames.pongs = []
        pings, self._frames.pings = self._frames.pings, []
        # What came with the ping must not be lost because the answer cannot be sent; the
        # next read meets the broken connection.
        with contextlib.suppress(Unreachable):
            for payload in pings:
                self._send_frame(payload, websocket.ABNF.OPCODE_PONG)

    def _finish(self) -> None:
        """Answer the last frame; the reader hears of it after the messages before it."""
        if self._frames.close is not None:
            closed = _read_close(self._frames.close)
            self._end = closed
            code = _NORMAL if closed.code == NO_CODE else closed.code
        else:
            why = f"the server broke the WebSocket protocol: {self._frames.violation}"
            self._end = Interrupted(why, cause="protocol")
            code = _PROTOCOL_ERROR
        with contextlib.suppress(Unreachable):
            self._send_close(code, self._clock.now().monotonic + CLOSE_LIMIT)

    # --- sending ---------------------------------------------------------------------

    def send(self, text: str) -> None:
        """Send a text message."""
        self._send_frame(text.encode(), websocket.ABNF.OPCODE_TEXT)

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping of the WebSocket protocol; `controls` tells of its answer."""
        self._send_frame(payload, websocket.ABNF.OPCODE_PING)

    def _send_frame(self, payload: bytes, opcode: int) -> None:
        try:
            self._library.send(payload, opcode)
        except (OSError, websocket.WebSocketException) as problem:
            raise Interrupted("the connection broke while sending") from problem

    def _send_close(self, code: int, deadline: float) -> None:
        frame = websocket.ABNF.create_frame(
            struct.pack("!H", code), websocket.ABNF.OPCODE_CLOSE
        ).format()
        try:
            self._transport.send(frame, deadline)
        except OSError as problem:
            raise Interrupted("the connection broke while closing") from problem

    # --- the end ---------------------------------------------------------------------

    def close(self, code: int = _NORMAL) -> None:
        """Say goodbye, wait a second at most for the answer, let go of the socket."""
        deadline = self._clock.now().monotonic + CLOSE_LIMIT
        try:
            if self._end is None:
                self._send_close(code, deadline)
                self._await_close(deadline)
        except (Unreachable, OSError):
            return  # it is gone already, which is what was wanted
        finally:
            self._transport.close()

    def _await_close(self, deadline: float) -> None:
        while self._end is None and (left := deadline - self._clock.now().monotonic) > 0:
            chunk = self._transport.read(left)
            if not chunk:
                return
            self._split(chunk)

    def abort(self) -> None:
        """Free the owner from whatever it waits for, while dialling too; from any thread."""
        self._transport.abort()


class _Line:
    """What the library takes for a socket: bounded in time and in what it reads."""

    def __init__(self, transport: Transport, deadline: float) -> None:
        self.deadline: float | None = deadline
        self._transport = transport
        self._heard = b""
        self._taken = 0

    def gettimeout(self) -> float:
        """Zero: the library is not to wait; the transport does."""
        return 0.0

    def recv(self, size: int) -> bytes:
        if self._taken == len(self._heard):
            if len(self._heard) >= ANSWER_LIMIT or self.deadline is None:
                return b""
            self._heard += self._transport.receive(READ_SIZE, self.deadline)
        piece = self._heard[self._taken : self._taken + size]
        self._taken += len(piece)
        return piece

    def send(self, text: bytes | str) -> int:
        return self._transport.send(text.encode() if isinstance(text, str) else text, self.deadline)

    def close(self) -> None:
        self._transport.close()

    def rest(self) -> bytes:
        """What came after the answer: the first frames."""
        rest, self._heard, self._taken = self._heard[self._taken :], b"", 0
        return rest

    def answer(self) -> HttpResponse | None:
        """The answer as far as it was heard."""
        head, _, body = self._heard.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(maxsplit=2)
        if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():  # noqa: PLR2004
            return None
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return HttpResponse(status=int(words[1]), headers=headers, body=body)


def _target(url: str) -> tuple[str, int, bool]:
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConfigError("the ws_url is no WebSocket address", "it starts with wss://")
    secure = parts.scheme == "wss"
    return parts.hostname, parts.port or (_SECURE_PORT if secure else _PORT), secure


def _header_lines(handshake: Handshake) -> list[str]:
    headers = {"User-Agent": f"privstream/{__version__}", **handshake.headers}
    for name, value in headers.items():
        if not (name + value).isprintable():
            raise ConfigError(f"the header {name!r} would hold a line break", "check the API key")
    return [f"{name}: {value}" for name, value in headers.items()]


def _refusal(answer: HttpResponse | None, host: str) -> PrivstreamError | None:
    """The error for an answer that opens no WebSocket; `None` where there was no answer."""
    if answer is None:
        return None
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return http_errors.rate_limited(answer, host)
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return Unavailable(
            f"{host} redirects the WebSocket (HTTP {answer.status}); redirects are never followed",
            "check ws_url",
            floor=http_errors.OUTAGE_FLOOR,
        )
    if answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return Unavailable(
            f"{host} does not complete the WebSocket handshake", floor=http_errors.OUTAGE_FLOOR
        )
    if _refuses_login(answer):
        said = http_errors.excerpt(answer.body) or "no reason given"
        return LoginRefused(
            f"{host} refuses the login (HTTP {answer.status}): {said}",
            "check the API key and secret, its allowed addresses, and the computer's clock",
        )
    return NoSocket(answer, host)


def _refuses_login(answer: HttpResponse) -> bool:
    if answer.status == HTTPStatus.FORBIDDEN:
        # A firewall or captive portal says 403 too, but with a page.
        return "json" in answer.headers.get("content-type", "").lower()
    return answer.status == HTTPStatus.UNAUTHORIZED


def _read_close(payload: bytes) -> Closed:
    if len(payload) < 2:  # noqa: PLR2004 - the code has two bytes
        return Closed(NO_CODE, "")
    return Closed(int.from_bytes(payload[:2], "big"), http_errors.excerpt(payload[2:]))
