"""A service with its service manager, its config file and a webhook, all in the test's process."""

import socket
import socketserver
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from signal import SIGTERM
from types import MappingProxyType
from typing import Any, Self

from privstream.app.run import Request, run
from privstream.cli.simulate import _config_lines
from privstream.delivery.signals import Stop, Stopped
from privstream.model.errors import PrivstreamError
from privstream.simulator.server import Simulation
from tests.outside import environment

LONG = 30.0
"""Seconds after which a test is wrong; none waits so long otherwise."""


class Receiver(BaseHTTPRequestHandler):
    """A webhook's other side: hands on what it takes."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        hook: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = hook.status
        if status < 300:
            hook.bodies.put(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Hook(ThreadingHTTPServer):
    """A webhook on loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.bodies: Queue[str] = Queue()
        self.status = 204
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/in"

    def next_of(self, account: str) -> str:
        """The next event of an account; those of others before it are passed over."""
        while f'"account":"{account}"' not in (body := self.bodies.get(timeout=LONG)):
            pass
        return body

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class Doorkeeper(socketserver.StreamRequestHandler):
    """A Redis whose password nobody knows."""

    def handle(self) -> None:
        while self.rfile.readline():
            self.wfile.write(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n")


@contextmanager
def nobody_in() -> Iterator[str]:
    """The URL of such a Redis."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Doorkeeper) as redis:
        redis.daemon_threads = True
        threading.Thread(target=redis.serve_forever, args=(0.01,), daemon=True).start()
        yield f"redis://127.0.0.1:{redis.server_address[1]}/0"
        redis.shutdown()


class Manager:
    """A service manager: hears what the service says of itself."""

    def __init__(self) -> None:
        self.name = f"@privstream-{uuid.uuid4().hex}"
        self.heard: deque[str] = deque()

    def listen(self) -> None:
        """Be there, until it is closed."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self.name[1:]}")
        self._socket.settimeout(LONG)

    def wait_for(self, word: str, *, holds: Callable[[str], bool] = bool) -> str:
        """Hear on until this is said; returns what is said of it."""
        while True:
            message = self._socket.recv(4096).decode()
            self.heard.append(message)
            for line in message.splitlines():
                name, _, value = line.partition("=")
                if name == word and holds(value):
                    return value

    def rest(self) -> list[str]:
        """What was said since, without waiting."""
        self._socket.setblocking(False)
        said = []
        with suppress(BlockingIOError):
            while True:
                said.append(self._socket.recv(4096).decode())
        return said

    def close(self) -> None:
        self._socket.close()


class Serving:
    """`privstream run` in a thread, from its start to its end."""

    def __init__(
        self,
        folder: Path,
        simulation: Simulation | None = None,
        *,
        before: str = "",
        variables: Mapping[str, str] = MappingProxyType({}),
        **asked: Any,
    ) -> None:
        """`before`: the first lines of the config file."""
        self.config = folder / "config.toml"
        self.stop, self.manager = Stop(), Manager()
        self.error: PrivstreamError | None = None
        self.code: int | None = None
        self._simulation, self._before = simulation, before
        self._variables = {
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PRIVSTREAM_CONFIG": str(self.config),
            "NOTIFY_SOCKET": self.manager.name,
            **variables,
        }
        self._waits = False
        self._request = Request(**asked)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def configure(self, *accounts: str, sinks: dict[str, str]) -> Self:
        """Write a config file with these simulated accounts, and each sink's lines."""
        lines = [self._before]
        if self._simulation is not None:
            lines += [_config_lines(self._simulation.account(name, {})) for name in accounts]
        lines += [f"[sinks.{name}]\n{text}" for name, text in sinks.items()]
        self.config.write_text("\n".join(lines))
        self.config.chmod(0o600)
        return self

    def _run(self) -> None:
        try:
            self.code = run(environment(self._variables, self.stop), self._request)
        except Stopped:
            self.code = 0
        except PrivstreamError as problem:
            self.error = problem

    def __enter__(self) -> Self:
        self.manager.listen()
        self._thread.start()
        if self._waits:
            self.ready()
        return self

    def ready_to_serve(self) -> Self:
        """Wait at the beginning of the block until it has started."""
        self._waits = True
        return self

    def ready(self) -> Self:
        """Wait until it is."""
        self.manager.wait_for("READY")
        return self

    def reload(self) -> None:
        """As SIGHUP does, until it is done."""
        assert self.stop.reopen is not None
        self.stop.reopen()
        self.manager.wait_for("RELOADING")
        self.manager.wait_for("READY")

    def over(self) -> int | None:
        """Wait for its end; returns the exit code, if it was no error."""
        self._thread.join(LONG)
        assert not self._thread.is_alive()
        return self.code

    def __exit__(self, *_: object) -> None:
        self.stop.tell(SIGTERM)
        with suppress(AssertionError):
            self.over()
        self.manager.close()
        self.stop.__exit__()
