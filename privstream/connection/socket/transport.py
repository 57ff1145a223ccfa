"""One TCP or TLS connection on which every operation has a deadline and can be aborted.

One thread owns it; only `abort` may be called from another. The socket does not block:
all waiting happens in `poll`, so that a dripping peer cannot stretch a deadline.
"""

import base64
import contextlib
import math
import os
import queue
import select
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from privstream.connection import network
from privstream.connection.clock import Clock
from privstream.model.errors import Interrupted

T = TypeVar("T")

READ_SIZE = 64 * 1024
SEND_LIMIT = 10.0
_PROXY_ANSWER_LIMIT = 16 * 1024
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class Transport:
    """Bytes to and from one host."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._socket: socket.socket | None = None
        self._readable = select.poll()
        self._names: queue.SimpleQueue[list[Any] | OSError | None] = queue.SimpleQueue()
        self._aborted = False
        self._is_drained = False
        """All that had come by the last read was read."""

    # --- connecting ------------------------------------------------------------------

    def connect(self, host: str, port: int, *, secure: bool, deadline: float) -> None:
        """Open the connection, through a proxy where the environment names one."""
        proxy = network.proxy_for(host) if secure else None
        near = (proxy.host, proxy.port) if proxy else (host, port)
        self._connect_any(self._resolve(*near, deadline), deadline)
        if proxy:
            self._tunnel(proxy, host, port, deadline)
        if secure:
            self._secure(host, deadline)
        self._readable.register(self._open_socket(), select.POLLIN)

    def _resolve(self, host: str, port: int, deadline: float) -> list[Any]:
        # A resolver cannot be interrupted, so it gets a thread of its own that may be left.
        def look_up() -> None:
            try:
                self._names.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except OSError as problem:
                self._names.put(problem)
            except UnicodeError as problem:
                self._names.put(socket.gaierror(str(problem)))

        threading.Thread(target=look_up, name="resolve", daemon=True).start()
        try:
            found = self._names.get(timeout=self._left(deadline))
        except queue.Empty:
            raise TimeoutError from None
        self._refuse_if_aborted()
        if not isinstance(found, list):
            raise found or Interrupted("stopped", cause="stopped")
        return found

    def _connect_any(self, addresses: list[Any], deadline: float) -> None:
        last = OSError("no address")
        for tried, (family, kind, protocol, _, address) in enumerate(addresses):
            # A dead address must not eat the time of the next.
            share = self._left(deadline) / (len(addresses) - tried)
            try:
                self._connect_one(socket.socket(family, kind, protocol), address, share)
            except OSError as problem:
                self._refuse_if_aborted()
                self.close()
                last = problem
            else:
                return
        raise last

    def _connect_one(self, new: socket.socket, address: Any, share: float) -> None:
        self._own(new)
        new.setblocking(False)
        new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        new.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            if hasattr(socket, option):
                new.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        try:
            new.connect(address)
        except BlockingIOError:
            self._wait(select.POLLOUT, self._clock.now().monotonic + share)
        code = new.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))

    def _tunnel(self, proxy: network.Proxy, host: str, port: int, deadline: float) -> None:
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if proxy.username:
            login = f"{proxy.username}:{proxy.password or ''}".encode()
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login).decode()}")
        self.send("\r\n".join((*lines, "", "")).encode(), deadline)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            # Byte by byte: what follows the empty line belongs to TLS.
            byte = self.receive(1, deadline)
            if not byte or len(answer) >= _PROXY_ANSWER_LIMIT:
                raise network.proxy_refused(None)
            answer += byte
        status = answer.split(maxsplit=2)[1:2]
        if status != [b"200"]:
            raise network.proxy_refused(int(status[0]) if status and status[0].isdigit() else None)

    def _secure(self, host: str, deadline: float) -> None:
        secured = network.tls_context().wrap_socket(
            self._open_socket(), server_hostname=host, do_handshake_on_connect=False
        )
        self._own(secured)
        self._attempt(secured.do_handshake, select.POLLIN, deadline)

    def _own(self, new: socket.socket) -> None:
        self._socket = new
        # An abort that came meanwhile has shut the socket before this one, or none.
        self._refuse_if_aborted()

    # --- bytes -----------------------------------------------------------------------

    def read(self, timeout: float) -> bytes | None:
        """What is there, waiting so long for the first byte; `None`: nothing, b"": the end."""
        self._refuse_if_aborted()
        # Where nothing was left the socket is waited for at once: a look first would be in vain.
        chunk = None if self._is_drained else self._read_now()
        if chunk is None and self._readable.poll(math.ceil(timeout * 1000)):
            chunk = self._read_now()
        if chunk and isinstance(self._socket, ssl.SSLSocket):
            return self._with_more_records(chunk)
        self._is_drained = chunk is None or len(chunk) < READ_SIZE
        return chunk

    def _read_now(self) -> bytes | None:
        self._refuse_if_aborted()
        try:
            return self._open_socket().recv(READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def _with_more_records(self, chunk: bytes) -> bytes:
        """TLS hands out one record at a time; those already here belong to the same read."""
        chunks, size = [chunk], len(chunk)
        self._is_drained = False  # TLS may hold what the socket shows no more
        while size < READ_SIZE:
            try:
                more = self._read_now()
            except OSError:
                break  # the next read meets it again, after these bytes were used
            if not more:
                self._is_drained = more is None
                break
            chunks.append(more)
            size += len(more)
        return b"".join(chunks)

    def receive(self, size: int, deadline: float) -> bytes:
        """At most `size` bytes, by the deadline; b"" is the end of the stream."""
        return self._attempt(partial(self._open_socket().recv, size), select.POLLIN, deadline)

    def send(self, text: bytes, deadline: float | None = None) -> int:
        """Send all of it."""
        if deadline is None:
            deadline = self._clock.now().monotonic + SEND_LIMIT
        rest = memoryview(text)
        while rest:
            send = partial(self._open_socket().send, rest)
            rest = rest[self._attempt(send, select.POLLOUT, deadline) :]
        return len(text)

    def _attempt(self, operation: Callable[[], T], direction: int, deadline: float) -> T:
        while True:
            self._refuse_if_aborted()
            try:
                return operation()
            except BlockingIOError:
                self._wait(direction, deadline)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, deadline)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, deadline)

    def _wait(self, direction: int, deadline: float) -> None:
        ready = select.poll()
        ready.register(self._open_socket(), direction)
        if not ready.poll(math.ceil(self._left(deadline) * 1000)):
            raise TimeoutError
        self._refuse_if_aborted()

    def _left(self, deadline: float) -> float:
        left = deadline - self._clock.now().monotonic
        if left <= 0:
            raise TimeoutError
        return left

    # --- the end ---------------------------------------------------------------------

    def abort(self) -> None:
        """Free the owner from whatever it waits for; from any thread, in every state."""
        self._aborted = True
        self._names.put(None)
        if self._socket is not None:
            # Not SSLSocket.shutdown: it would first drop the TLS layer, and what the owner
            # sends in that moment would go out in the clear.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket; only its owner may."""
        if self._socket is not None:
            self._socket.close()

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise Interrupted("not connected")
        return self._socket

    def _refuse_if_aborted(self) -> None:
        if self._aborted:
            raise Interrupted("stopped", cause="stopped")
