"""Running REST flows, against a scripted server on loopback."""

import fcntl
import gzip
import logging
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from privstream import __version__
from privstream.connection.adapter import Adapter
from privstream.connection.clock import Clock, SystemClock
from privstream.connection.nonces import Nonces
from privstream.connection.pacing import Pacing
from privstream.connection.rest import Rest
from privstream.errors import (
    ConfigError,
    Interrupted,
    PrivstreamError,
    RateLimited,
    Unavailable,
    Unreachable,
    Untrusted,
)
from privstream.wire import (
    Call,
    Endpoints,
    HttpRequest,
    HttpResponse,
    RestFlow,
    Secret,
    Stamp,
)
from tests.connection.certificates import Certificates
from tests.connection.loopback import (
    Script,
    Server,
    answer,
    read_a_word,
    read_head,
    read_until_closed,
    serve,
)
from tests.fake_clock import START_NS, FakeClock

CANARY = "PSCANARY0123456789abcdef"
NOTHING = b""


def request(path: str = "/0/private/X", body: bytes = b"") -> HttpRequest:
    headers = {"API-Sign": CANARY}
    return HttpRequest("POST" if body else "GET", path, headers, body)


def ask(
    *requests: HttpRequest, nonce: bool = False, cost: float = 1.0
) -> RestFlow[list[HttpResponse]]:
    answers: list[HttpResponse] = []
    for one in requests or (request(),):
        response = yield Call(partial(_same, one), "GetThing", nonce=nonce, cost=cost)
        answers.append(response)
    return answers


def _same(one: HttpRequest, stamp: Stamp) -> HttpRequest:
    del stamp
    return one


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def make(state: Path) -> Iterator["Maker"]:
    maker = Maker(state)
    yield maker
    maker.close()


class Maker:
    """Makes Rests, and closes them."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._made: list[Rest] = []

    def __call__(
        self,
        port: int,
        clock: Clock | None = None,
        *,
        scheme: str = "http",
        host: str = "127.0.0.1",
        pacing: Pacing | None = None,
        stop: threading.Event | None = None,
    ) -> Rest:
        clock = clock or SystemClock()
        endpoints = Endpoints(f"{scheme}://{host}:{port}", "ws://127.0.0.1:1/")
        nonces = Nonces(self.state, Secret("key"), 1, clock)
        rest = Rest(endpoints, nonces, pacing or Pacing((100.0, 1.0)), clock, stop)
        self._made.append(rest)
        return rest

    def close(self) -> None:
        for rest in self._made:
            rest.close()


def says(*texts: bytes, heads: list[bytes] | None = None) -> Script:
    """Answers the requests of one connection with these texts, then hangs up."""

    def script(connection: socket.socket) -> None:
        for text in texts:
            head = read_head(connection)
            if heads is not None:
                heads.append(head)
            connection.sendall(text)

    return script


@contextmanager
def serving(*texts: bytes) -> Iterator[tuple[Server, list[bytes]]]:
    heads: list[bytes] = []
    with serve(says(*texts, heads=heads)) as server:
        yield server, heads


def whole(error: PrivstreamError) -> PrivstreamError:
    """The error, after a look whether it or any of its causes tells a secret."""
    seen: BaseException | None = error
    while seen is not None:
        assert CANARY not in str(seen) + repr(seen) + str(getattr(seen, "hint", ""))
        seen = seen.__cause__ or seen.__context__
    return error


def failure(
    rest: Rest, flow: RestFlow[list[HttpResponse]] | None = None, **options: float
) -> PrivstreamError:
    secret = request(f"/x?signature={CANARY}", CANARY.encode())
    with pytest.raises(PrivstreamError) as caught:
        rest.run(flow or ask(secret), **options)  # type: ignore[arg-type] # only `deadline`
    assert "GetThing" in caught.value.message
    return whole(caught.value)


# --- what is sent ------------------------------------------------------------------------


def test_a_flow_is_sent_each_answer_over_one_kept_connection(make: "Maker") -> None:
    with serving(answer(200, b'{"n":1}'), answer(500, b'["error"]', "X-Y: Z")) as (server, _):
        first, second = make(server.port).run(ask(request(), request()))
        assert server.connections == 1
    assert (first.status, first.body) == (200, b'{"n":1}')
    assert (second.status, second.body, second.headers["x-y"]) == (500, b'["error"]', "Z")


def test_a_request_goes_out_exactly_as_it_was_signed(make: "Maker") -> None:
    path = "/a%2fb/%7Ec?x=%2C&y=a%20b+c&z=[1]"
    with serving(answer(200)) as (server, heads):
        make(server.port).run(ask(request(path, b"nonce=1&pair=a%2Fb")))
    head = heads[0].decode()
    assert head.startswith(f"POST {path} HTTP/1.1\r\n")
    assert head.endswith("\r\n\r\nnonce=1&pair=a%2Fb")
    assert f"User-Agent: privstream/{__version__}\r\n" in head
    assert f"API-Sign: {CANARY}\r\n" in head
    assert "Accept-Encoding: gzip\r\n" in head


def test_a_prefix_of_the_configured_address_is_kept(make: "Maker", state: Path) -> None:
    with serving(answer(200)) as (server, heads):
        clock = SystemClock()
        rest = Rest(
            Endpoints(f"http://127.0.0.1:{server.port}/prefix/", "ws://127.0.0.1:1/"),
            Nonces(state, Secret("key"), 1, clock),
            Pacing((1.0, 1.0)),
            clock,
        )
        rest.run(ask(request("/x")))
        rest.close()
    assert heads[0].startswith(b"GET /prefix/x HTTP/1.1\r\n")
    del make


def test_an_address_that_is_not_configured_is_named(make: "Maker") -> None:
    other = HttpRequest(method="GET", path="/x", base="history_url")
    with pytest.raises(ConfigError, match="history_url"):
        make(1).run(ask(other))


def test_nothing_of_netrc_or_earlier_cookies_is_sent(
    make: "Maker", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(answer(200, b"{}", "Set-Cookie: id=1"), answer(200)) as (server, heads):
        make(server.port).run(ask(request(), request()))
    assert b"authorization" not in heads[0].lower()
    assert b"cookie" not in heads[1].lower()


def test_a_call_with_a_nonce_holds_the_keys_lock_until_it_is_answered(
    make: "Maker", state: Path
) -> None:
    locked: list[bool] = []

    def script(connection: socket.socket) -> None:
        read_head(connection)
        (path,) = state.iterdir()
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked.append(True)
        connection.sendall(answer(200))

    stamps: list[Stamp] = []

    def build(stamp: Stamp) -> HttpRequest:
        stamps.append(stamp)
        return request()

    def flow() -> RestFlow[None]:
        yield Call(build, "GetThing", nonce=True)

    with serve(script) as server:
        rest = make(server.port, FakeClock())
        rest.run(flow())
        rest.run(flow())
    assert locked == [True, True]
    assert [stamp.nonce for stamp in stamps] == [START_NS, START_NS + 1]


def test_a_call_without_a_nonce_takes_none(make: "Maker", state: Path) -> None:
    with serving(answer(200)) as (server, _):
        make(server.port).run(ask(nonce=False))
    assert not state.exists()


def test_requests_is_imported_by_the_first_call_only() -> None:
    code = "import sys, privstream.connection.rest; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- budget ------------------------------------------------------------------------------


def test_waiting_for_the_budget_goes_on_in_slices_with_the_callers_duties_between(
    make: "Maker",
) -> None:
    clock, duties = FakeClock(), []
    with serving(answer(200), answer(200)) as (server, _):
        rest = make(server.port, clock, pacing=Pacing((1.0, 0.5)))
        rest.run(ask(request(), request()), idle=lambda: duties.append(clock.now().monotonic))
    assert sum(clock.waits) == pytest.approx(2.0)
    assert max(clock.waits) <= 0.5
    assert len(duties) >= 4


def test_a_budget_that_is_too_far_away_is_told_and_not_waited_for(make: "Maker") -> None:
    clock = FakeClock()
    with serving(answer(200)) as (server, heads):
        rest = make(server.port, clock, pacing=Pacing((1.0, 0.001)))
        error = failure(rest, ask(request(), request()))
    assert isinstance(error, RateLimited)
    assert error.floor == pytest.approx(1000.0)
    assert not clock.waits
    assert len(heads) == 1


def test_after_too_many_requests_nothing_is_sent_before_the_time_told(make: "Maker") -> None:
    clock = FakeClock()
    with serving(answer(429, b"<html>", "Retry-After: 120"), answer(200)) as (server, heads):
        rest = make(server.port, clock)
        error = failure(rest)
        assert isinstance(error, RateLimited)
        assert error.floor == 120.0
        assert isinstance(failure(rest), RateLimited)
        assert len(heads) == 1
        clock.advance(120.0)
        rest.run(ask())
    assert len(heads) == 2


def test_stopping_ends_the_wait_for_the_budget(make: "Maker") -> None:
    stop = threading.Event()
    clock, pacing = FakeClock(), Pacing((1.0, 0.5))
    pacing.take(1.0, clock.now())
    stop.set()
    error = failure(make(1, clock, pacing=pacing, stop=stop))
    assert isinstance(error, Interrupted)
    assert error.cause == "stopped"


# --- refusals ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(make: "Maker", status: int) -> None:
    with serve(read_until_closed) as target:
        location = f"Location: http://127.0.0.1:{target.port}/"
        with serving(answer(status, b"", location)) as (server, _):
            error = failure(make(server.port))
        assert target.connections == 0
    assert isinstance(error, Unavailable)
    assert "redirects are never followed" in error.message


def test_a_compressed_answer_is_read(make: "Maker") -> None:
    packed = gzip.compress(b'{"ok":true}')
    with serving(answer(200, packed, "Content-Encoding: gzip")) as (server, _):
        (response,) = make(server.port).run(ask())
    assert response.body == b'{"ok":true}'


def test_a_chunked_answer_is_read(make: "Maker") -> None:
    text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    with serving(text, answer(200)) as (server, _):
        first, _ = make(server.port).run(ask(request(), request()))
        assert server.connections == 1
    assert first.body == b"{}"


def test_a_gzip_bomb_is_refused_in_little_memory(make: "Maker") -> None:
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


def test_an_endless_body_is_refused(make: "Maker") -> None:
    def flood(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serve(flood) as server:
        error = failure(make(server.port), ask())
    assert "more than 4 MiB" in error.message


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
def test_an_answer_that_is_broken_is_a_passing_fault(make: "Maker", text: bytes) -> None:
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
def test_a_slow_answer_does_not_stretch_the_time(make: "Maker", script: Script) -> None:
    clock = SystemClock()
    with serve(script) as server:
        rest = make(server.port)
        start = clock.now().monotonic
        error = failure(rest, deadline=0.3)
        assert clock.now().monotonic - start < 1.0
    assert type(error) is Unreachable
    # Its own limit and ours end at the same moment; either may be first.
    assert "GetThing" in error.message
    assert "answer" in error.message


def test_a_call_that_was_given_up_leaves_no_thread_behind(make: "Maker") -> None:
    with serve(
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000)
    ) as server:
        failure(make(server.port), ask(), deadline=0.2)
        left = [thread for thread in threading.enumerate() if thread.name == "rest GetThing"]
        for thread in left:
            thread.join(2.0)
        assert not [thread for thread in left if thread.is_alive()]


def test_after_a_slow_answer_the_next_call_has_a_new_connection(make: "Maker") -> None:
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


def test_the_callers_duties_go_on_while_an_answer_is_awaited(make: "Maker") -> None:
    seen = threading.Event()

    def script(connection: socket.socket) -> None:
        read_head(connection)
        seen.wait(10.0)
        connection.sendall(answer(200))

    with serve(script) as server:
        make(server.port).run(ask(), idle=seen.set)
    assert seen.is_set()


def test_stopping_ends_a_call_that_is_not_answered(make: "Maker") -> None:
    clock, stop = SystemClock(), threading.Event()
    with serve(read_until_closed) as server:
        rest = make(server.port, stop=stop)
        threading.Timer(0.05, stop.set).start()
        start = clock.now().monotonic
        error = failure(rest)
        assert clock.now().monotonic - start < 0.7
    assert isinstance(error, Interrupted)
    assert error.cause == "stopped"


def test_a_flow_is_closed_when_its_call_fails(make: "Maker") -> None:
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


def test_a_closed_port_is_unreachable_and_names_the_host(make: "Maker") -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(make(port))
    assert error.message == "GetThing: cannot reach 127.0.0.1: connection refused"
    assert error.retryable


def test_a_name_that_does_not_resolve_is_unreachable(
    make: "Maker", monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure(make(443, scheme="https", host="api.exchange.example"))
    assert error.message == "GetThing: cannot reach api.exchange.example: its name does not resolve"


# --- trust -------------------------------------------------------------------------------


def test_a_certificate_of_a_trusted_authority_is_accepted(
    make: "Maker", certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with serve(says(answer(200, b"[1]")), certificates.good()) as server:
        (response,) = make(server.port, scheme="https", host="localhost").run(ask())
    assert response.body == b"[1]"
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("why", ["expired", "wrong host", "unknown authority"])
def test_a_certificate_that_does_not_verify_is_final(
    make: "Maker", certificates: Certificates, why: str
) -> None:
    heads: list[bytes] = []
    with serve(says(answer(200), heads=heads), certificates.refused(why)) as server:
        error = failure(make(server.port, scheme="https", host="localhost"))
    assert isinstance(error, Untrusted)
    assert not error.retryable
    assert "cannot trust localhost: " in error.message
    assert not heads


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_variables_of_requests_do_not_change_whom_we_trust(
    make: "Maker", certificates: Certificates, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # SSL_CERT_FILE names the authority; take it away and offer it by the other name.
    monkeypatch.setenv(name, os.environ["SSL_CERT_FILE"])
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", os.environ["SSL_CERT_FILE"])
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with serve(says(answer(200)), certificates.good()) as server:
        error = failure(make(server.port, scheme="https", host="localhost"))
    assert isinstance(error, Untrusted)


def test_a_server_that_hangs_up_in_the_tls_handshake_is_a_passing_fault(
    make: "Maker", certificates: Certificates
) -> None:
    del certificates
    with serve(read_a_word) as server:
        error = failure(make(server.port, scheme="https", host="localhost"))
    assert error.retryable


# --- proxies -----------------------------------------------------------------------------


def test_a_proxy_of_the_environment_gets_only_the_host_name(
    make: "Maker", certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    heads: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        context = certificates.refused("wrong host")  # issued for exchange.example
        with context.wrap_socket(connection, server_side=True) as secured:
            says(answer(200, b"[7]"))(secured)

    with serve(proxy) as server:
        monkeypatch.setenv("https_proxy", f"http://me:p%40ss@127.0.0.1:{server.port}")
        rest = make(443, scheme="https", host="exchange.example")
        (response,) = rest.run(ask(request(f"/x?sign={CANARY}")))
    assert response.body == b"[7]"
    assert not (tmp_path / "keys").exists()
    assert heads[0].startswith(b"CONNECT exchange.example:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in heads[0]
    assert CANARY.encode() not in heads[0]


def test_no_proxy_and_loopback_hosts_go_straight(
    make: "Maker", certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serve(says(answer(200)), certificates.good()) as server:
        make(server.port, scheme="https", host="localhost").run(ask())
    with serve(says(answer(200))) as server:
        make(server.port).run(ask())


def test_a_proxy_that_refuses_is_a_passing_fault(
    make: "Maker", monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(says(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as server:
        monkeypatch.setenv("https_proxy", f"http://name:{CANARY}@127.0.0.1:{server.port}")
        error = failure(make(443, scheme="https", host="exchange.example"))
    assert type(error) is Unreachable


def test_the_libraries_log_nothing(make: "Maker", caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(answer(200)) as (server, _):
        make(server.port).run(ask(request(f"/x?signature={CANARY}")))
    assert not caplog.records
