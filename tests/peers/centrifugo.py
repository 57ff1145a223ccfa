"""A real Centrifugo server on loopback, as Indodax seems to run it; found, never fetched.

`centrifugo` on PATH or the file that $CENTRIFUGO names; a published version 5 or 6.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.simulator.indodax_desk import mint

PROGRAM = os.environ.get("CENTRIFUGO") or shutil.which("centrifugo")
USER = "3d1c0a87f2b94e6585aa10ffc0de42b9715e6d03"
CHANNEL = f"pws:#{USER}"
TOKEN_SECRET, API_SECRET = "the secret of our tokens", "the key of its API"
FLAG = "cf_ws_frame_ping_pong=true"
PATIENCE = 10.0
LOOK = 0.05


def settings(port: int, *, history: int) -> dict[str, Any]:
    """For both versions at once: each takes its own keys and only warns of the other's."""
    namespace: dict[str, Any] = {"name": "pws", "allow_user_limited_channels": True}
    if history:
        kept = {"history_size": history, "history_ttl": "60s", "force_recovery": True}
        namespace |= kept
    address = "127.0.0.1"
    version_5 = {
        "address": address,
        "port": str(port),
        "token_hmac_secret_key": TOKEN_SECRET,
        "api_key": API_SECRET,
        "allowed_origins": ["https://only.example"],
        "namespaces": [namespace],
    }
    version_6 = {
        "http_server": {"address": address, "port": port},
        "client": {
            "token": {"hmac_secret_key": TOKEN_SECRET},
            "allowed_origins": ["https://only.example"],
        },
        "http_api": {"key": API_SECRET},
        "channel": {"namespaces": [namespace]},
    }
    return version_5 | version_6


class Centrifugo:
    """A running server, and its API."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.port, self._process, self._log = port, process, log

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/connection/websocket?{FLAG}"

    def token(self, life: int = 86_400) -> str:
        return mint(USER, int(time.time()) + life, TOKEN_SECRET.encode())

    def publish(self, *events: Any) -> None:
        self.call("publish", channel=CHANNEL, data=list(events))

    def disconnect(self, code: int, reason: str) -> None:
        self.call("disconnect", user=USER, disconnect={"code": code, "reason": reason})

    def call(self, method: str, **request: Any) -> Any:
        url, headers = f"http://127.0.0.1:{self.port}/api/{method}", {"X-API-Key": API_SECRET}
        answer = requests.post(url, json=request, headers=headers, timeout=5)
        answer.raise_for_status()
        body = answer.json()
        assert "error" not in body, body
        return body["result"]

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                self.call("info")
            except requests.ConnectionError:
                self._look()
            else:
                return
        raise AssertionError(f"no answer in {PATIENCE} s:\n{self._log.read_text()}")

    def _look(self) -> None:
        try:
            code = self._process.wait(LOOK)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"it ended with {code}:\n{self._log.read_text()}")


@contextmanager
def running(folder: Path, *, history: int = 0) -> Iterator[Centrifugo]:
    """Start a server; stop it at the end."""
    assert PROGRAM is not None
    port = _free_port()
    config, log = folder / "config.json", folder / "log"
    config.write_text(json.dumps(settings(port, history=history)))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PROGRAM, "--config", str(config)], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        server = Centrifugo(port, process, log)
        server.wait_until_ready()
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
