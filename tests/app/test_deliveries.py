"""Sinks beside standard output: each gets every event once, and a dead one holds up nobody."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from privstream.app.watch import Request, watch
from privstream.model.errors import ConfigError, Exit, UsageError
from privstream.outputs.console import Format
from tests.app.service_world import nobody_in
from tests.outside import environment


class Receiver(BaseHTTPRequestHandler):
    """A webhook's other side: keeps what it takes, and answers as the server says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if server.status == 204:
            server.bodies.append(body)
        self.send_response(server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Any]:
    serving: Any = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    serving.bodies, serving.status = [], 204
    thread = threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield serving
    serving.shutdown()
    serving.server_close()
    thread.join()


def run(tmp_path: Path, *to: str, count: int = 12, **options: Any) -> int:
    variables = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    request = Request(
        exchange="kraken", simulate=True, rate=50.0, count=count, to=list(to), json=True, **options
    )
    return watch(environment(variables, quiet=False), request)


def url_of(server: Any) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/in"


def test_every_sink_gets_what_was_printed(
    tmp_path: Path, server: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    code = run(tmp_path, f"sqlite:{tmp_path}/e.db", url_of(server), f"file:{tmp_path}/e.jsonl")
    printed = capfd.readouterr().out.splitlines()
    assert code == Exit.DONE
    assert len(printed) == 12
    assert [body.decode() for body in server.bodies] == printed
    assert (tmp_path / "e.jsonl").read_text().splitlines() == printed
    with sqlite3.connect(tmp_path / "e.db") as database:
        kept = database.execute("SELECT number FROM _cursor").fetchall()
    assert kept == [(12,)]


def test_a_dead_sink_holds_up_nobody_and_gets_all_later(
    tmp_path: Path, server: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    server.status = 500
    run(tmp_path, url_of(server), resume=True)
    first, said = capfd.readouterr()
    assert "does not take events now, they are kept: " in said
    assert "12 events wait for http://127.0.0.1" in said
    server.status = 204
    run(tmp_path, url_of(server), resume=True)
    second, said = capfd.readouterr()
    assert [body.decode() for body in server.bodies] == [*first.splitlines(), *second.splitlines()]
    assert "wait" not in said


def test_a_sink_that_wants_no_more_is_a_fault_at_the_end(
    tmp_path: Path, server: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    server.status = 410
    assert run(tmp_path, url_of(server)) == Exit.OURS
    assert len(capfd.readouterr().out.splitlines()) == 12


def test_a_sink_that_lets_nobody_in_ends_the_run_at_once(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="needs the extra `redis`")
    with nobody_in() as url, pytest.raises(ConfigError, match="does not let us in"):
        run(tmp_path, url, count=1_000_000)


def test_sinks_take_no_frames(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--format raw"):
        run(tmp_path, f"sqlite:{tmp_path}/e.db", format=Format.RAW)


def test_only_what_is_asked_for_is_printed_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """An outbox alone is no memory: a run without --resume begins anew."""
    for _ in range(2):
        run(tmp_path, f"sqlite:{tmp_path}/e.db")
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert not [line for line in lines if line["type"] == "gap"]
    with sqlite3.connect(tmp_path / "e.db") as database:
        [(rows,)] = database.execute("SELECT count(*) FROM orders").fetchall()
    assert rows == len({line["id"] for line in lines if line["type"] == "order"})
