"""A server on loopback that does what a script says, one connection after the other."""

import base64
import contextlib
import hashlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[[socket.socket], None]

LIMIT = 15.0


class Server:
    """Runs the script for every connection; `heard` is what HTTP heads it read."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(LIMIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The client hanging up is an ordinary end of a script.
        with connection, contextlib.suppress(OSError):
            if self._context is not None:
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    self._script(secured)
            else:
                self._script(connection)

    def stop(self) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LIMIT)


@contextmanager
def serve(script: Script, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(script, context)
    try:
        yield server
    finally:
        server.stop()


def read_head(connection: socket.socket) -> bytes:
    """A request up to its empty line, and the body that Content-Length announces."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionError
        head += byte
    announced = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    for _ in range(int(announced[1]) if announced else 0):
        head += connection.recv(1)
    return head


def read_until_closed(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def read_a_word(connection: socket.socket) -> None:
    """Whatever the client says or does next ends the conversation."""
    connection.recv(65536)


def answer(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    head = (f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(head).encode() + body


def switch_protocols(head: bytes) -> bytes:
    """The answer that completes the WebSocket handshake."""
    key = re.search(rb"(?i)\r\nsec-websocket-key: *(\S+)", head)
    assert key
    digest = hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324 - RFC 6455
    lines = (
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest),
        b"\r\n",
    )
    return b"\r\n".join(lines)


def frame(payload: bytes, opcode: int = 1, *, final: bool = True) -> bytes:
    """A frame as servers send it, unmasked."""
    first = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        return first + bytes([len(payload)]) + payload
    if len(payload) < 65536:
        return first + b"\x7e" + struct.pack("!H", len(payload)) + payload
    return first + b"\x7f" + struct.pack("!Q", len(payload)) + payload


def read_frame(connection: socket.socket) -> tuple[int, bytes]:
    """The opcode and payload of a short frame of the client's, unmasked."""
    first, second = _exactly(connection, 2)
    assert second & 0x80, "a client masks its frames"
    mask = _exactly(connection, 4)
    payload = _exactly(connection, second & 0x7F)
    return first & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def _exactly(connection: socket.socket, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        chunk = connection.recv(size - len(heard))
        if not chunk:
            raise ConnectionError
        heard += chunk
    return heard


def websocket_script(*sent: bytes, then: Script | None = None) -> Script:
    """Completes the handshake, sends these bytes, then does as told, or hangs up at the next word."""

    def script(connection: socket.socket) -> None:
        connection.sendall(switch_protocols(read_head(connection)) + b"".join(sent))
        (then or read_a_word)(connection)

    return script
