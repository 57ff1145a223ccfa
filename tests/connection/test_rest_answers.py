"""Running REST flows: refusals, broken, slow and huge answers."""

import gzip
import socket
import threading
import tracemalloc

import pytest

from privstream.connection.rest.adapter import Adapter
from privstream.model.errors import Interrupted, Unavailable, Unreachable
from privstream.model.rest import Call, HttpResponse, RestFlow
from tests.connection.loopback import (
    Script,
    answer,
    read_head,
    read_until_closed,
    serve,
)
from tests.connection.rest_desk import (
    NOTHING,
    Maker,
    ask,
    failure,
    request,
    says,
    serving,
)

# --- refusals ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(make: Maker, status: int) -> None:
    with serve(read_until_closed) as target:
        location = f"Location: http://127.0.0.1:{target.port}/"
        with serving(answer(status, b"", location)) as (server, _):
            error = failure(make(server.port))
        assert target.connections == 0
    assert isinstance(error, Unavailable)
    assert "redirects are never followed" in error.message


def test_a_compressed_answer_is_read(make: Maker) -> None:
    packed = gzip.compress(b'{"ok":true}')
    with serving(answer(200, packed, "Content-Encoding: gzip")) as (server, _):
        (response,) = make(server.port).run(ask())
    assert response.body == b'{"ok":true}'


def test_a_chunked_answer_is_read(make: Maker) -> None:
    text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    with serving(text, answer(200)) as (server, _):
        first, _ = make(server.port).run(ask(request(), request()))
        assert server.connections == 1
    assert first.body == b"{}"


def test_a_gzip_bomb_is_refused_in_little_memory(make: Maker) -> None:
    bomb = gzip.compress(bytes(100_000_000), 9)
    with serving(answer(200, bomb, "Content-Encoding: gzip")) as (server, _):
        rest = make(server.port)
        tracemalloc.start()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        error = failure(rest, ask())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert "more than 4 MiB" in error.message
    assert peak - before < 16 * 1024 * 1024


def test_a_list_of_ten_thousand_orders_is_read(make: Maker) -> None:
    rows = b",".join(
        b'"O%06d-AAAAA-BBBBBB":{"vol":"%d.5","price":"%d"}' % (n, n, n * 7) for n in range(110_000)
    )
    packed = gzip.compress(b"{%s}" % rows, 1)
    with serving(answer(200, packed, "Content-Encoding: gzip")) as (server, _):
        (response,) = make(server.port).run(ask())
    assert len(response.body) > 5 * 1024 * 1024


def test_an_endless_body_is_refused(make: Maker) -> None:
    def flood(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serve(flood) as server:
        error = failure(make(server.port), ask())
    assert "more than 16 MiB" in error.message


@pytest.mark.parametrize(
    "text",
    [
        NOTHING,
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        answer(200, b"not gzip", "Content-Encoding: gzip"),
    ],
    ids=["nothing", "no http", "cut off", "bad chunk", "too many headers", "bad gzip"],
)
def test_an_answer_that_is_broken_is_a_passing_fault(make: Maker, text: bytes) -> None:
    with serve(says(text)) as server:
        error = failure(make(server.port))
    assert type(error) is Unreachable
    assert "127.0.0.1" in error.message


def dripping(text: bytes) -> Script:
    def drip(connection: socket.socket) -> None:
        read_head(connection)
        pause = threading.Event()
        for byte in text:
            connection.sendall(bytes([byte]))
            pause.wait(0.02)

    return drip


@pytest.mark.parametrize(
    "script",
    [
        read_until_closed,
        dripping(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000),
    ],
    ids=["mute", "headers", "body"],
)
def test_a_slow_answer_does_not_stretch_the_time(make: Maker, script: Script) -> None:
    """Each of them would go on for minutes."""
    with serve(script) as server:
        error = failure(make(server.port), deadline=0.3)
    assert type(error) is Unreachable
    # Its own limit and ours end at the same moment; either may be first.
    assert "GetThing" in error.message
    assert "answer" in error.message


def test_a_call_that_was_given_up_leaves_no_thread_behind(make: Maker) -> None:
    with serve(
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000)
    ) as server:
        failure(make(server.port), ask(), deadline=0.2)
        left = [thread for thread in threading.enumerate() if thread.name == "rest GetThing"]
        for thread in left:
            thread.join(2.0)
        assert not [thread for thread in left if thread.is_alive()]


def test_after_a_slow_answer_the_next_call_has_a_new_connection(make: Maker) -> None:
    turns: list[int] = []

    def script(connection: socket.socket) -> None:
        read_head(connection)
        turns.append(1)
        if len(turns) == 1:
            read_until_closed(connection)
        connection.sendall(answer(200, b"[2]"))

    with serve(script) as server:
        rest = make(server.port)
        failure(rest, ask(), deadline=0.2)
        (response,) = rest.run(ask())
    assert response.body == b"[2]"


def test_the_callers_duties_go_on_while_an_answer_is_awaited(make: Maker) -> None:
    seen = threading.Event()

    def script(connection: socket.socket) -> None:
        read_head(connection)
        seen.wait(10.0)
        connection.sendall(answer(200))

    with serve(script) as server:
        make(server.port).run(ask(), idle=seen.set)
    assert seen.is_set()


def test_stopping_ends_a_call_that_is_not_answered(make: Maker) -> None:
    """Its own limit would end it as unreachable."""
    stop = threading.Event()
    with serve(read_until_closed) as server:
        rest = make(server.port, stop=stop)
        threading.Timer(0.05, stop.set).start()
        error = failure(rest)
    assert isinstance(error, Interrupted)
    assert error.cause == "stopped"


def test_a_flow_is_closed_when_its_call_fails(make: Maker) -> None:
    closed: list[bool] = []

    def flow() -> RestFlow[list[HttpResponse]]:
        try:
            yield Call(lambda _: request(), "GetThing")
        finally:
            closed.append(True)
        return []

    with serve(says(NOTHING)) as server:
        failure(make(server.port), flow())
    assert closed == [True]


def test_an_aborted_adapter_sends_nothing_more() -> None:
    from requests import Request  # noqa: PLC0415 - only this test speaks it

    heard: list[bytes] = []
    with serve(lambda connection: heard.append(connection.recv(100))) as server:
        adapter = Adapter()
        adapter.abort()
        url = f"http://127.0.0.1:{server.port}/x"
        with pytest.raises(OSError, match="abort"):
            adapter.perform(Request("GET", url).prepare(), url, 5.0)
        adapter.close()
    assert heard in ([], [b""])


def test_a_closed_port_is_unreachable_and_names_the_host(make: Maker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(make(port))
    assert error.message == "GetThing: cannot reach 127.0.0.1: connection refused"
    assert error.retryable


def test_a_name_that_does_not_resolve_is_unreachable(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure(make(443, scheme="https", host="api.exchange.example"))
    assert error.message == "GetThing: cannot reach api.exchange.example: its name does not resolve"
