"""Running REST flows: what is sent, and within which budget."""

import fcntl
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from privstream import __version__
from privstream.connection.clock import SystemClock
from privstream.connection.rest.client import Rest
from privstream.connection.rest.nonces import Nonces
from privstream.connection.rest.pacing import Pacing
from privstream.model.account import Endpoints, Secret
from privstream.model.errors import ConfigError, Interrupted, RateLimited
from privstream.model.rest import Call, HttpRequest, RestFlow, Stamp
from tests.connection.loopback import (
    answer,
    read_head,
    serve,
)
from tests.connection.rest_desk import (
    CANARY,
    Maker,
    ask,
    failure,
    request,
    serving,
)
from tests.fake_clock import START_NS, FakeClock

# --- what is sent ------------------------------------------------------------------------


def test_a_flow_is_sent_each_answer_over_one_kept_connection(make: Maker) -> None:
    with serving(answer(200, b'{"n":1}'), answer(500, b'["error"]', "X-Y: Z")) as (server, _):
        first, second = make(server.port).run(ask(request(), request()))
        assert server.connections == 1
    assert (first.status, first.body) == (200, b'{"n":1}')
    assert (second.status, second.body, second.headers["x-y"]) == (500, b'["error"]', "Z")


def test_a_request_goes_out_exactly_as_it_was_signed(make: Maker) -> None:
    path = "/a%2fb/%7Ec?x=%2C&y=a%20b+c&z=[1]"
    with serving(answer(200)) as (server, heads):
        make(server.port).run(ask(request(path, b"nonce=1&pair=a%2Fb")))
    head = heads[0].decode()
    assert head.startswith(f"POST {path} HTTP/1.1\r\n")
    assert head.endswith("\r\n\r\nnonce=1&pair=a%2Fb")
    assert f"User-Agent: privstream/{__version__}\r\n" in head
    assert f"API-Sign: {CANARY}\r\n" in head
    assert "Accept-Encoding: gzip\r\n" in head


def test_a_prefix_of_the_configured_address_is_kept(make: Maker, state: Path) -> None:
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


def test_an_address_that_is_not_configured_is_named(make: Maker) -> None:
    other = HttpRequest(method="GET", path="/x", base="history_url")
    with pytest.raises(ConfigError, match="history_url"):
        make(1).run(ask(other))


def test_nothing_of_netrc_or_earlier_cookies_is_sent(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(answer(200, b"{}", "Set-Cookie: id=1"), answer(200)) as (server, heads):
        make(server.port).run(ask(request(), request()))
    assert b"authorization" not in heads[0].lower()
    assert b"cookie" not in heads[1].lower()


def test_a_call_with_a_nonce_holds_the_keys_lock_until_it_is_answered(
    make: Maker, state: Path
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


def test_a_call_without_a_nonce_takes_none(make: Maker, state: Path) -> None:
    with serving(answer(200)) as (server, _):
        make(server.port).run(ask(nonce=False))
    assert not state.exists()


def test_requests_is_imported_by_the_first_call_only() -> None:
    code = "import sys, privstream.connection.rest.client; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- budget ------------------------------------------------------------------------------


def test_waiting_for_the_budget_goes_on_in_slices_with_the_callers_duties_between(
    make: Maker,
) -> None:
    clock, duties = FakeClock(), []
    with serving(answer(200), answer(200)) as (server, _):
        rest = make(server.port, clock, pacing=Pacing((1.0, 0.5)))
        rest.run(ask(request(), request()), idle=lambda: duties.append(clock.now().monotonic))
    assert sum(clock.waits) == pytest.approx(2.0)
    assert max(clock.waits) <= 0.5
    assert len(duties) >= 4


def test_a_budget_that_is_too_far_away_is_told_and_not_waited_for(make: Maker) -> None:
    clock = FakeClock()
    with serving(answer(200)) as (server, heads):
        rest = make(server.port, clock, pacing=Pacing((1.0, 0.001)))
        error = failure(rest, ask(request(), request()))
    assert isinstance(error, RateLimited)
    assert error.floor == pytest.approx(1000.0)
    assert not clock.waits
    assert len(heads) == 1


def test_after_too_many_requests_nothing_is_sent_before_the_time_told(make: Maker) -> None:
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


def test_stopping_ends_the_wait_for_the_budget(make: Maker) -> None:
    stop = threading.Event()
    clock, pacing = FakeClock(), Pacing((1.0, 0.5))
    pacing.take(1.0, clock.now())
    stop.set()
    error = failure(make(1, clock, pacing=pacing, stop=stop))
    assert isinstance(error, Interrupted)
    assert error.cause == "stopped"
